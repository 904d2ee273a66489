#include "tests/support/records.h"

#include <algorithm>
#include <format>
#include <iterator>
#include <stdexcept>

#include "ingest/numeric_wire.h"
#include "tests/support/copy_stream.h"

namespace tickd::test {

namespace {

constexpr std::int64_t received_us = 1'700'000'000'000'000;

void count_accepted(ingest::block& to, std::uint16_t from, std::uint64_t seq) {
    ingest::origin& origin = to.origin_at(from);
    ++origin.received;
    ++origin.accepted;
    if (origin.producer != 0) origin.newest_seq = seq;
}

[[nodiscard]] std::string text_of(const copy_field& field) {
    return field ? std::string(*field) : std::string();
}

[[nodiscard]] known_row known_row_of(known_row::table table, const copy_tuple& tuple) {
    known_row row{.in = table, .feed = {}, .seq = 0, .id = 0, .is_poison = false};
    switch (table) {
        case known_row::table::ticks: {
            const auto bid = ingest::decode_numeric(tuple.at(2).value());
            row.feed = text_of(tuple.at(6));
            row.seq = static_cast<std::uint64_t>(bid.value() / ingest::decimal_one);
            row.is_poison = tuple.at(1) == poison;
            break;
        }
        case known_row::table::events:
            row.id = int8_of(tuple.at(0));
            row.feed = text_of(tuple.at(2));
            row.seq = std::stoull(text_of(tuple.at(4)).substr(1));  // behind jsonb's version byte
            row.is_poison = tuple.at(3) == poison;
            break;
        case known_row::table::dead_letters:
            row.feed = text_of(tuple.at(4));
            row.sqlstate = text_of(tuple.at(11));
            row.seq = tuple.at(6) ? static_cast<std::uint64_t>(int8_of(tuple.at(6))) : 0;
            break;
    }
    return row;
}

}  // namespace

ingest::uuid uuid_of(std::uint8_t last_byte) {
    ingest::uuid id;
    id.bytes.back() = last_byte;
    return id;
}

std::uint16_t add_origin(ingest::block& to, std::string_view name, std::uint32_t producer,
                         std::uint64_t expected_seq, std::uint64_t session_id) {
    ingest::origin from{.session_id = session_id,
                        .peer = to.keep_text("127.0.0.1:5000"),
                        .listener = to.keep_text("main")};
    if (producer != 0) {
        from.producer = producer;
        from.producer_name = to.keep_text(name);
        from.expected_seq = from.newest_seq = expected_seq;
    }
    return to.add_origin(from);
}

void keep_tick(ingest::block& to, std::uint16_t from, std::uint64_t seq, std::string_view symbol) {
    const std::string feed(to.text(to.origins()[from].producer_name));
    ingest::record tick;
    tick.time_us = received_us + static_cast<std::int64_t>(seq);
    tick.seq = seq;
    tick.symbol = symbol;
    tick.bid = tick.ask = tick.mid = ingest::int128{seq} * ingest::decimal_one;
    tick.source = feed;
    to.keep(tick, std::format("line {}", seq), received_us, from);
    count_accepted(to, from, seq);
}

void keep_event(ingest::block& to, std::uint16_t from, std::uint64_t seq,
                std::string_view action_type) {
    const std::string feed(to.text(to.origins()[from].producer_name));
    const std::string payload = std::to_string(seq);
    ingest::record event;
    event.kind = ingest::record_kind::activity;
    event.time_us = received_us + static_cast<std::int64_t>(seq);
    event.seq = seq;
    event.agent_id = feed;
    event.action_type = action_type;
    event.action_payload = payload;
    to.keep(event, std::format("line {}", seq), received_us, from);
    count_accepted(to, from, seq);
}

void keep_refused(ingest::block& to, std::uint16_t from, std::uint64_t seq) {
    const std::string raw = std::format("line {}", seq);
    to.keep_refused({ingest::verdict::too_precise, "bid"}, seq, raw, raw.size(), received_us, from);
    ingest::origin& origin = to.origin_at(from);
    ++origin.received;
    ++origin.dead_lettered;
    if (origin.producer != 0) origin.newest_seq = seq;
}

std::vector<known_row> known_rows(known_row::table table, std::string_view stream) {
    const auto tuples = read_copy_stream(stream);
    if (!tuples) throw std::runtime_error("malformed COPY stream");
    std::vector<known_row> rows;
    for (const copy_tuple& tuple : *tuples) rows.push_back(known_row_of(table, tuple));
    return rows;
}

std::vector<known_row> known_rows(const ingest::batch& rows) {
    std::vector<known_row> all = known_rows(known_row::table::ticks, rows.tick_stream());
    std::ranges::reverse(all);  // the stream runs from the batch's last tick to its first
    std::ranges::move(known_rows(known_row::table::events, rows.event_stream()),
                      std::back_inserter(all));
    std::ranges::move(known_rows(known_row::table::dead_letters, rows.dead_letter_stream()),
                      std::back_inserter(all));
    return all;
}

}  // namespace tickd::test
