#include "ingest/block_codec.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "ingest/field_key.h"
#include "ingest/limits.h"

namespace ingest {

namespace {

static_assert(std::endian::native == std::endian::little, "the byte order of the file is ours");

class writer {
public:
    explicit writer(byte_buffer& out) : out_(out) {}

    template <typename T>
        requires std::is_trivially_copyable_v<T>
    void put(const T& value) {
        std::memcpy(out_.extend(sizeof value), &value, sizeof value);
    }
    void put(text_ref ref) {
        put(ref.offset);
        put(ref.length);
    }
    void text(std::string_view text) {
        put(static_cast<std::uint32_t>(text.size()));
        out_.append(text);
    }

private:
    byte_buffer& out_;
};

class reader {
public:
    explicit reader(std::string_view bytes) : bytes_(bytes) {}

    template <typename T>
        requires std::is_trivially_copyable_v<T>
    void get(T& value) {
        if (!good_ || bytes_.size() < sizeof value) {
            good_ = false;
            return;
        }
        std::memcpy(&value, bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
    }
    // A reference to text within the `limit` bytes the block holds.
    void get(text_ref& ref, std::size_t limit) {
        get(ref.offset);
        get(ref.length);
        const std::uint64_t end = std::uint64_t{ref.offset} + ref.length;
        if (ref.present() ? end > limit : ref.length != 0) good_ = false;
    }
    void get(bool& value) {
        std::uint8_t byte = 0;
        get(byte);
        good_ = good_ && byte <= 1;
        value = byte == 1;
    }
    std::string_view text() {
        std::uint32_t length = 0;
        get(length);
        if (!good_ || bytes_.size() < length) {
            good_ = false;
            return {};
        }
        const std::string_view text = bytes_.substr(0, length);
        bytes_.remove_prefix(length);
        return text;
    }
    // How many elements follow; each takes at least `bytes_each`, so a false count cannot make the
    // reader allocate more than the bytes it was given.
    std::size_t count(std::size_t bytes_each) {
        std::uint32_t count = 0;
        get(count);
        if (std::uint64_t{count} * bytes_each > bytes_.size()) good_ = false;
        return good_ ? count : 0;
    }
    void require(bool condition) { good_ = good_ && condition; }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

private:
    std::string_view bytes_;
    bool good_ = true;
};

// Whatever a parser lets through lies within: the years 0001 to 9999, and some room.
[[nodiscard]] bool is_time(std::int64_t unix_us) {
    constexpr std::int64_t limit_us = 300'000'000'000'000'000;
    return unix_us > -limit_us && unix_us < limit_us;
}

// The database's bigint holds it.
[[nodiscard]] bool is_seq(std::uint64_t seq) {
    return seq <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
}

void put_origin(writer& to, const origin& from) {
    to.put(from.session_id);
    to.put(from.producer);
    to.put(from.producer_name);
    to.put(from.peer);
    to.put(from.listener);
    to.put(from.tenant);
    to.put(from.newest_seq);
    to.put(from.expected_seq);
    to.put(from.received);
    to.put(from.accepted);
    to.put(from.duplicates);
    to.put(from.dead_lettered);
    to.put(from.seq_gaps);
    to.put(static_cast<std::uint8_t>(from.lost));
}

void get_origin(reader& from, origin& to, std::size_t texts, std::size_t tenants) {
    from.get(to.session_id);
    from.get(to.producer);
    from.get(to.producer_name, texts);
    from.get(to.peer, texts);
    from.get(to.listener, texts);
    from.get(to.tenant);
    from.get(to.newest_seq);
    from.get(to.expected_seq);
    from.get(to.received);
    from.get(to.accepted);
    from.get(to.duplicates);
    from.get(to.dead_lettered);
    from.get(to.seq_gaps);
    from.get(to.lost);
    from.require(to.tenant <= tenants && is_seq(to.newest_seq) && is_seq(to.expected_seq));
    from.require(to.producer == 0 || to.producer_name.present());
}

void put_tick(writer& to, const tick_row& row) {
    for (const int128 value : {row.bid, row.ask, row.mid, row.volume}) to.put(value);
    to.put(row.time_us);
    to.put(row.seq);
    for (const text_ref ref : {row.raw, row.symbol, row.source, row.metadata}) to.put(ref);
    to.put(row.tenant);
    to.put(row.origin);
    to.put(static_cast<std::uint8_t>(row.has_volume));
}

void get_tick(reader& from, tick_row& row, std::size_t texts) {
    for (int128* value : {&row.bid, &row.ask, &row.mid, &row.volume}) from.get(*value);
    from.get(row.time_us);
    from.get(row.seq);
    for (text_ref* ref : {&row.raw, &row.symbol, &row.source, &row.metadata}) {
        from.get(*ref, texts);
    }
    from.get(row.tenant);
    from.get(row.origin);
    from.get(row.has_volume);
    from.require(row.symbol.present() && row.raw.present());
    // At most four bytes a character. Segments hold no other ticks either.
    from.require(row.symbol.length != 0 && row.symbol.length <= 4 * limits::symbol_chars_max &&
                 (!row.source.present() || row.source.length <= 4 * limits::source_chars_max));
    const auto within = [](int128 value, int128 limit) { return value < limit && value > -limit; };
    from.require(within(row.bid, price_limit) && within(row.ask, price_limit) &&
                 within(row.mid, price_limit) && within(row.volume, volume_limit));
    from.require(row.volume >= 0 && is_time(row.time_us) && is_seq(row.seq));
}

void put_event(writer& to, const activity_row& row) {
    to.put(row.time_us);
    to.put(row.received_us);
    to.put(row.seq);
    for (const text_ref ref :
         {row.raw, row.agent_id, row.action_type, row.action_payload, row.metadata}) {
        to.put(ref);
    }
    to.put(row.user_id.bytes);
    to.put(row.session_id.bytes);
    to.put(row.tenant);
    to.put(row.origin);
    to.put(static_cast<std::uint8_t>(row.has_user_id));
    to.put(static_cast<std::uint8_t>(row.has_session_id));
}

void get_event(reader& from, activity_row& row, std::size_t texts) {
    from.get(row.time_us);
    from.get(row.received_us);
    from.get(row.seq);
    for (text_ref* ref :
         {&row.raw, &row.agent_id, &row.action_type, &row.action_payload, &row.metadata}) {
        from.get(*ref, texts);
    }
    from.get(row.user_id.bytes);
    from.get(row.session_id.bytes);
    from.get(row.tenant);
    from.get(row.origin);
    from.get(row.has_user_id);
    from.get(row.has_session_id);
    from.require(row.raw.present() && row.action_type.present() && row.action_payload.present());
    from.require(is_time(row.time_us) && is_time(row.received_us) && is_seq(row.seq));
}

void put_dead(writer& to, const dead_letter_row& row) {
    to.put(row.received_us);
    to.put(row.seq);
    to.put(row.raw_length);
    to.put(row.raw);
    to.put(row.origin);
    to.put(row.tenant);
    to.put(row.sqlstate);
    to.text(to_string(row.reason));
    to.text(row.field);
}

void get_dead(reader& from, dead_letter_row& row, std::size_t texts) {
    from.get(row.received_us);
    from.get(row.seq);
    from.get(row.raw_length);
    from.get(row.raw, texts);
    from.get(row.origin);
    from.get(row.tenant);
    from.get(row.sqlstate);
    const auto reason = verdict_from(from.text());
    from.require(reason.has_value() && row.raw.present());
    from.require(is_time(row.received_us) && is_seq(row.seq) && is_seq(row.raw_length));
    row.reason = reason.value_or(verdict::not_json);
    const std::string_view field = from.text();
    row.field = name_of(key_of(field));  // in static storage, as a refusal's field is
    from.require(row.field == field);
}

}  // namespace

void block_codec::encode(const block& from, byte_buffer& out) {
    writer to(out);
    to.put(version);
    to.put(from.oldest_us_);
    to.text(from.bytes_.view());
    to.put(static_cast<std::uint32_t>(from.tenants_.size()));
    for (const uuid& tenant : from.tenants_) to.put(tenant.bytes);
    to.put(static_cast<std::uint32_t>(from.origins_.size()));
    for (const origin& each : from.origins_) put_origin(to, each);
    std::uint32_t ticks = 0, events = 0;
    for (std::uint32_t i = 0; i < from.ticks_.size(); ++i) ticks += !from.tick_refused(i);
    for (std::uint32_t i = 0; i < from.events_.size(); ++i) events += !from.event_refused(i);
    to.put(ticks);
    for (std::uint32_t i = 0; i < from.ticks_.size(); ++i) {
        if (!from.tick_refused(i)) put_tick(to, from.ticks_[i]);
    }
    to.put(events);
    for (std::uint32_t i = 0; i < from.events_.size(); ++i) {
        if (!from.event_refused(i)) put_event(to, from.events_[i]);
    }
    to.put(static_cast<std::uint32_t>(from.dead_.size()));
    for (const dead_letter_row& row : from.dead_) put_dead(to, row);
}

bool block_codec::decode(std::string_view bytes, block& into) {
    into.reset();
    reader from(bytes);
    std::uint16_t written_by = 0;
    from.get(written_by);
    from.require(written_by == version);
    from.get(into.oldest_us_);
    into.bytes_.append(from.text());
    const std::size_t texts = into.bytes_.size();
    into.tenants_.resize(from.count(sizeof(uuid)));
    for (uuid& tenant : into.tenants_) from.get(tenant.bytes);
    const std::size_t tenants = into.tenants_.size();
    from.require(tenants <= std::numeric_limits<tenant_index>::max());
    into.origins_.resize(from.count(75));
    from.require(into.origins_.size() <= limits::block_origins_max && is_time(into.oldest_us_));
    for (origin& each : into.origins_) get_origin(from, each, texts, tenants);
    const auto placed = [&](const auto& row) {
        from.require(row.origin < into.origins_.size() && row.tenant <= tenants);
    };
    into.ticks_.resize(from.count(117));
    for (tick_row& row : into.ticks_) {
        get_tick(from, row, texts);
        placed(row);
    }
    into.events_.resize(from.count(102));
    for (activity_row& row : into.events_) {
        get_event(from, row, texts);
        placed(row);
    }
    into.dead_.resize(from.count(49));
    for (dead_letter_row& row : into.dead_) {
        get_dead(from, row, texts);
        placed(row);
    }
    from.require(into.row_count() <= limits::block_rows_max);
    if (from.good() && from.at_end()) return true;
    into.reset();
    return false;
}

}  // namespace ingest
