#include "tests/unit/spool_blocks.h"

#include <format>
#include <limits>
#include <string_view>
#include <vector>

#include "ingest/decimal.h"
#include "tests/support/records.h"

namespace tests {

namespace {

constexpr std::int64_t received_us = 1'700'000'000'000'000;

template <typename T>
[[nodiscard]] T below(std::mt19937_64& random, T limit) {
    return static_cast<T>(random() % static_cast<std::uint64_t>(limit));
}

[[nodiscard]] std::string random_text(std::mt19937_64& random, std::size_t length_max) {
    std::string text(below(random, length_max + 1), ' ');
    for (char& c : text) c = static_cast<char>(below(random, 256));
    return text;
}

// The ends of the range as often as what lies between.
[[nodiscard]] ingest::int128 random_number(std::mt19937_64& random, ingest::int128 limit) {
    switch (below(random, 4)) {
        case 0: return limit - 1;
        case 1: return 0;
        default: {
            const auto high = static_cast<ingest::int128>(random()) << 63U;
            const ingest::int128 any = (high | static_cast<ingest::int128>(random())) % limit;
            return any < 0 ? -any : any;
        }
    }
}

[[nodiscard]] ingest::int128 random_price(std::mt19937_64& random) {
    const ingest::int128 value = random_number(random, ingest::price_limit);
    return below(random, 2) == 0 ? value : -value;
}

[[nodiscard]] std::optional<ingest::uuid> random_uuid(std::mt19937_64& random, std::uint8_t kinds) {
    const auto kind = below<std::uint8_t>(random, kinds);
    if (kind == 0) return std::nullopt;
    return tickd::test::uuid_of(kind);
}

[[nodiscard]] std::string_view maybe(std::mt19937_64& random, std::string_view text) {
    return below(random, 3) == 0 ? std::string_view{} : text;
}

void add_random_origin(ingest::block& to, std::mt19937_64& random) {
    constexpr auto seq_max = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    ingest::origin from{
        .session_id = random(),
        .peer = to.keep_text(random_text(random, 20)),
        .listener = to.keep_text(random_text(random, 8)),
        .tenant = to.tenant_index_of(random_uuid(random, 4)),
        .received = below<std::uint32_t>(random, 5000),
        .accepted = below<std::uint32_t>(random, 5000),
        .duplicates = below<std::uint32_t>(random, 5000),
        .dead_lettered = below<std::uint32_t>(random, 5000),
        .seq_gaps = below<std::uint32_t>(random, 5000),
    };
    if (below(random, 3) != 0) {
        from.producer = 1 + below<std::uint32_t>(random, 9);
        from.producer_name = to.keep_text(std::format("feed-{}", from.producer));
        from.expected_seq = below(random, 4) == 0 ? seq_max : below(random, seq_max);
        from.newest_seq = below(random, 4) == 0 ? seq_max : below(random, seq_max);
    }
    (void)to.add_origin(from);
}

void add_random_row(ingest::block& to, std::mt19937_64& random) {
    const auto from = static_cast<std::uint16_t>(below(random, to.origins().size()));
    const std::string raw = "raw" + random_text(random, 120);
    const std::string other = random_text(random, 40);
    const std::string_view within = std::string_view(raw).substr(below(random, raw.size()));
    const std::uint64_t seq = below(random, 3) == 0 ? 0 : random() >> 1U;
    if (below(random, 5) == 0) {
        const auto reason =
            static_cast<ingest::verdict>(1 + below<int>(random, ingest::verdict_count - 1));
        const std::string_view field = below(random, 2) == 0 ? "action_payload" : "";
        to.keep_refused({reason, field}, seq, raw, raw.size() + below(random, 9U), received_us,
                        from);
        return;
    }
    ingest::record row;
    row.kind = below(random, 2) == 0 ? ingest::record_kind::tick : ingest::record_kind::activity;
    row.time_us = below(random, 2) == 0 ? -62'135'596'800'000'000 : 253'402'300'799'999'999;
    row.seq = seq;
    row.tenant = random_uuid(random, 5);
    row.metadata = maybe(random, below(random, 2) == 0 ? within : std::string_view(other));
    // As the parser lets through: not empty, at most twenty characters of four bytes.
    constexpr std::size_t symbol_bytes_max = 80;
    row.symbol = within.empty() || below(random, 2) == 0 ? std::string_view("S")
                                                         : within.substr(0, symbol_bytes_max);
    row.bid = random_price(random);
    row.ask = random_price(random);
    row.mid = random_price(random);
    if (below(random, 2) == 0) row.volume = random_number(random, ingest::volume_limit);
    row.source = maybe(random, other);
    row.agent_id = maybe(random, within);
    row.action_type = other;
    row.action_payload = within;
    row.user_id = random_uuid(random, 3);
    row.session_id = random_uuid(random, 3);
    to.keep(row, raw, received_us + static_cast<std::int64_t>(below(random, 1000)), from);
}

[[nodiscard]] std::string text_or_null(const ingest::block& in, ingest::text_ref ref) {
    return ref.present() ? std::format("{}:'{}'", ref.length, in.text(ref)) : "null";
}

[[nodiscard]] std::string tenant_of(const ingest::block& in, ingest::tenant_index tenant) {
    return in.tenant(tenant) == nullptr ? "none" : ingest::to_text(*in.tenant(tenant));
}

}  // namespace

std::unique_ptr<ingest::block> numbered_block(std::int64_t number) {
    auto made = std::make_unique<ingest::block>();
    const std::uint64_t before = (static_cast<std::uint64_t>(number) - 1) * rows_of_numbered_block;
    const std::uint16_t from = tickd::test::add_origin(*made, "feed-a", 1, before);
    for (std::uint64_t i = 1; i <= rows_of_numbered_block; ++i) {
        tickd::test::keep_tick(*made, from, before + i);
    }
    return made;
}

void fill_randomly(ingest::block& to, std::mt19937_64& random, std::uint32_t rows_max) {
    const std::size_t origins = 1 + below(random, std::size_t{4});
    while (to.origins().size() < origins) add_random_origin(to, random);
    for (std::uint32_t rows = below(random, rows_max + 1); rows > 0; --rows) {
        add_random_row(to, random);
    }
}

std::string describe(const ingest::block& from) {
    std::string text = std::format("oldest {}\n", from.oldest_us());
    const auto texts = [&](std::initializer_list<ingest::text_ref> refs) {
        for (const ingest::text_ref ref : refs) text += ' ' + text_or_null(from, ref);
    };
    for (const ingest::origin& o : from.origins()) {
        text += std::format("origin {} {} {} {} {} {} {} {} {} {} {} {}", o.session_id, o.producer,
                            tenant_of(from, o.tenant), o.newest_seq, o.expected_seq, o.received,
                            o.accepted, o.duplicates, o.dead_lettered, o.seq_gaps, o.lost, '\n');
        texts({o.producer_name, o.peer, o.listener});
    }
    for (std::uint32_t i = 0; i < from.ticks().size(); ++i) {
        const ingest::tick_row& row = from.ticks()[i];
        if (from.tick_refused(i)) continue;
        text += std::format("\ntick {} {} {} {} {} {} {} {} {}", ingest::to_text(row.bid),
                            ingest::to_text(row.ask), ingest::to_text(row.mid),
                            ingest::to_text(row.volume), row.has_volume, row.time_us, row.seq,
                            tenant_of(from, row.tenant), row.origin);
        texts({row.raw, row.symbol, row.source, row.metadata});
    }
    for (std::uint32_t i = 0; i < from.events().size(); ++i) {
        const ingest::activity_row& row = from.events()[i];
        if (from.event_refused(i)) continue;
        text += std::format("\nevent {} {} {} {} {} {} {} {} {}", row.time_us, row.received_us,
                            row.seq, ingest::to_text(row.user_id), ingest::to_text(row.session_id),
                            row.has_user_id, row.has_session_id, tenant_of(from, row.tenant),
                            row.origin);
        texts({row.raw, row.agent_id, row.action_type, row.action_payload, row.metadata});
    }
    for (const ingest::dead_letter_row& row : from.dead_letters()) {
        text += std::format("\ndead {} {} {} {} {} {} {} {}", row.received_us, row.seq,
                            row.raw_length, row.field, row.origin, tenant_of(from, row.tenant),
                            ingest::to_string(row.reason),
                            std::string_view(row.sqlstate.data(), row.sqlstate.size()));
        texts({row.raw});
    }
    return text;
}

}  // namespace tests
