#include "ingest/copy_encode.h"

#include <bit>
#include <concepts>
#include <cstring>

#include "ingest/numeric_wire.h"
#include "ingest/timestamp.h"

namespace ingest {

namespace {

// Writes into memory that the caller has made large enough.
class cursor {
public:
    explicit cursor(char* at) noexcept : at_(at) {}

    template <std::signed_integral Int>
    void number(Int value) noexcept {
        if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    void bytes(std::string_view text) noexcept {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }

    void null() noexcept { number(std::int32_t{-1}); }
    void length(std::size_t bytes) noexcept { number(static_cast<std::int32_t>(bytes)); }
    void text(std::string_view text) noexcept {
        length(text.size());
        bytes(text);
    }
    void text_or_null(const block& in, text_ref ref) noexcept {
        ref.present() ? text(in.text(ref)) : null();
    }
    void jsonb(std::string_view text) noexcept {
        length(text.size() + 1);
        *at_++ = 1;
        bytes(text);
    }
    void jsonb_or_null(const block& in, text_ref ref) noexcept {
        ref.present() ? jsonb(in.text(ref)) : null();
    }
    void int8(std::int64_t value) noexcept {
        length(sizeof value);
        number(value);
    }
    void timestamptz(std::int64_t unix_us) noexcept { int8(unix_us - pg_epoch_us); }
    void uuid_or_null(const uuid* id) noexcept {
        if (id == nullptr) return null();
        length(id->bytes.size());
        std::memcpy(at_, id->bytes.data(), id->bytes.size());
        at_ += id->bytes.size();
    }
    void numeric(int128 value) noexcept {
        const std::size_t bytes = encode_numeric(value, at_ + sizeof(std::int32_t));
        length(bytes);
        at_ += bytes;
    }

    [[nodiscard]] char* at() const noexcept { return at_; }

private:
    char* at_;
};

constexpr std::size_t tick_fixed_bytes_max = 2 + 9 * 4 + 8 + 4 * numeric_wire_bytes_max + 1 + 16;
constexpr std::size_t event_fixed_bytes_max = 2 + 11 * 4 + 3 * 8 + 3 * 16 + 2 + 64;
constexpr std::size_t dead_letter_fixed_bytes_max = 2 + 12 * 4 + 4 * 8 + 16 + 5 + 64;

// Makes room for the longest form a row can take, lets `write` fill it and keeps what was used.
template <typename Write>
void append_row(byte_buffer& out, std::size_t bytes_max, Write write) {
    out.reserve_more(bytes_max);
    cursor to(out.data() + out.size());
    write(to);
    static_cast<void>(out.extend(static_cast<std::size_t>(to.at() - (out.data() + out.size()))));
}

}  // namespace

void begin_copy_stream(byte_buffer& out) {
    constexpr std::string_view header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    out.append(header);
}

void end_copy_stream(byte_buffer& out) { out.append("\377\377"); }

void append_tick(const block& in, const tick_row& row, byte_buffer& out) {
    const std::size_t texts = row.symbol.length + row.source.length + row.metadata.length;
    append_row(out, tick_fixed_bytes_max + texts, [&](cursor& to) {
        to.number(std::int16_t{9});
        to.timestamptz(row.time_us);
        to.text(in.text(row.symbol));
        to.numeric(row.bid);
        to.numeric(row.ask);
        to.numeric(row.mid);
        row.has_volume ? to.numeric(row.volume) : to.null();
        to.text_or_null(in, row.source);
        to.jsonb_or_null(in, row.metadata);
        to.uuid_or_null(in.tenant(row.tenant));
    });
}

sha256_digest append_event(const block& in, const activity_row& row, std::int64_t id,
                           activity_hasher& hasher, byte_buffer& out) {
    sha256_digest hash;
    const std::size_t texts = std::size_t{row.agent_id.length} + row.action_type.length +
                              row.action_payload.length + row.metadata.length;
    append_row(out, event_fixed_bytes_max + texts, [&](cursor& to) {
        to.number(std::int16_t{activity_row_fields + 1});
        const char* const hashed = to.at();
        to.int8(id);
        to.timestamptz(row.time_us);
        to.text_or_null(in, row.agent_id);
        to.text(in.text(row.action_type));
        to.jsonb(in.text(row.action_payload));
        to.uuid_or_null(row.has_user_id ? &row.user_id : nullptr);
        to.uuid_or_null(row.has_session_id ? &row.session_id : nullptr);
        to.jsonb_or_null(in, row.metadata);
        to.timestamptz(row.received_us);
        to.uuid_or_null(in.tenant(row.tenant));
        const auto hashed_bytes = static_cast<std::size_t>(to.at() - hashed);
        hash = hasher.row_hash({hashed, hashed_bytes});
        const sha256_hex hex = to_hex(hash);
        to.text({hex.data(), hex.size()});
    });
    return hash;
}

void append_dead_letter(const block& in, const dead_letter_row& row, byte_buffer& out) {
    const origin& from = in.origins()[row.origin];
    const std::string_view reason = to_string(row.reason);
    const std::size_t texts = std::size_t{from.peer.length} + from.listener.length +
                              from.producer_name.length + row.raw.length + reason.size() +
                              row.field.size();
    append_row(out, dead_letter_fixed_bytes_max + texts, [&](cursor& to) {
        to.number(std::int16_t{12});
        to.timestamptz(row.received_us);
        to.int8(static_cast<std::int64_t>(from.session_id));
        to.text_or_null(in, from.peer);
        to.text_or_null(in, from.listener);
        to.text_or_null(in, from.producer_name);
        to.uuid_or_null(in.tenant(row.tenant));
        row.seq != 0 ? to.int8(static_cast<std::int64_t>(row.seq)) : to.null();
        to.text(reason);
        row.field.empty() ? to.null() : to.text(row.field);
        to.text(in.text(row.raw));
        to.int8(static_cast<std::int64_t>(row.raw_length));
        row.sqlstate[0] != '\0' ? to.text({row.sqlstate.data(), row.sqlstate.size()}) : to.null();
    });
}

}  // namespace ingest
