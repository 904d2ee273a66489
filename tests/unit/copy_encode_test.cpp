#include "ingest/copy_encode.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/copy_stream.h"
#include "tests/support/records.h"
#include "tests/support/tsv.h"

using ingest::block;
using ingest::byte_buffer;
using tickd::test::to_hex;
using tickd::test::tsv_cell;
using tickd::test::tsv_row;

namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;

ingest::int128 units_of(const tsv_cell& cell) {
    std::string_view digits = cell.value();
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    ingest::int128 value = 0;
    for (const char digit : digits) value = value * 10 + (digit - '0');
    return negative ? -value : value;
}

std::int64_t number_of(const tsv_cell& cell) { return std::stoll(cell.value()); }

ingest::optional_text text_of(const tsv_cell& cell) {
    return cell ? ingest::optional_text(*cell) : ingest::optional_text();
}

std::optional<ingest::uuid> uuid_in(const tsv_cell& cell) {
    return cell ? ingest::parse_uuid(*cell) : std::nullopt;
}

// Once with the texts inside the raw line, once without: the bytes are the same.
std::string encode_tick(const tsv_row& cells, bool texts_within) {
    block in;
    const std::uint16_t from = tickd::test::add_origin(in, {}, 0, 0);
    ingest::record tick;
    tick.time_us = number_of(cells[1]);
    tick.bid = units_of(cells[3]);
    tick.ask = units_of(cells[4]);
    tick.mid = units_of(cells[5]);
    if (cells[6]) tick.volume = units_of(cells[6]);
    tick.tenant = uuid_in(cells[9]);
    const std::string raw = *cells[2] + cells[7].value_or("") + cells[8].value_or("");
    tick.symbol = *cells[2];
    tick.source = text_of(cells[7]);
    tick.metadata = text_of(cells[8]);
    if (texts_within) {
        const std::string_view line = raw;
        tick.symbol = line.substr(0, cells[2]->size());
        if (cells[7]) tick.source = line.substr(tick.symbol.size(), cells[7]->size());
        if (cells[8]) tick.metadata = line.substr(line.size() - cells[8]->size());
    }
    in.keep(tick, raw, now_us, from);
    byte_buffer out;
    append_tick(in, in.ticks()[0], out);
    return to_hex(out.view());
}

std::string encode_event(const tsv_row& cells) {
    block in;
    const std::uint16_t from = tickd::test::add_origin(in, {}, 0, 0);
    ingest::record event;
    event.kind = ingest::record_kind::activity;
    event.time_us = number_of(cells[2]);
    event.agent_id = text_of(cells[3]);
    event.action_type = *cells[4];
    event.action_payload = *cells[5];
    event.user_id = uuid_in(cells[6]);
    event.session_id = uuid_in(cells[7]);
    event.metadata = text_of(cells[8]);
    event.tenant = uuid_in(cells[10]);
    in.keep(event, "raw", number_of(cells[9]), from);
    byte_buffer out;
    ingest::activity_hasher hasher;
    append_event(in, in.events()[0], number_of(cells[1]), hasher, out);
    return to_hex(out.view());
}

std::string encode_dead_letter(const tsv_row& cells) {
    block in;
    ingest::origin origin{.session_id = static_cast<std::uint64_t>(number_of(cells[2])),
                          .peer = in.keep_text(*cells[3]),
                          .listener = in.keep_text(*cells[4])};
    if (cells[5]) {
        origin.producer = 1;
        origin.producer_name = in.keep_text(*cells[5]);
    }
    origin.tenant = in.tenant_index_of(uuid_in(cells[6]));
    origin.accepted = 1;
    const std::uint16_t from = in.add_origin(origin);
    const std::uint64_t seq = cells[7] ? static_cast<std::uint64_t>(number_of(cells[7])) : 0;
    const std::string raw = tickd::test::from_hex(*cells[10]);
    const std::string field = cells[9].value_or("");
    if (cells[12]) {
        ingest::record tick;
        tick.symbol = "S";
        tick.seq = seq;
        tick.tenant = uuid_in(cells[6]);
        in.keep(tick, raw, now_us, from);
        in.refuse_tick(0, *cells[12], number_of(cells[1]));
    } else {
        in.keep_refused({*ingest::verdict_from(*cells[8]), field}, seq, raw,
                        static_cast<std::uint64_t>(number_of(cells[11])), number_of(cells[1]),
                        from);
    }
    byte_buffer out;
    append_dead_letter(in, in.dead_letters()[0], out);
    return to_hex(out.view());
}

}  // namespace

TEST_CASE("rows become the tuples that another implementation computed", "[copy_encode]") {
    int ticks = 0, events = 0, dead_letters = 0;
    for (const tsv_row& cells : tickd::test::read_vectors("copy_rows.tsv")) {
        CAPTURE(*cells.front(), cells[1].value_or(""), cells[2].value_or(""));
        const std::string& expected = cells.back().value();
        if (cells.front() == "tick") {
            REQUIRE(cells.size() == 11);
            ++ticks;
            CHECK(encode_tick(cells, true) == expected);
            CHECK(encode_tick(cells, false) == expected);
        } else if (cells.front() == "event") {
            REQUIRE(cells.size() == 12);
            ++events;
            CHECK(encode_event(cells) == expected);
        } else {
            REQUIRE(cells.front() == "dead");
            REQUIRE(cells.size() == 14);
            ++dead_letters;
            CHECK(encode_dead_letter(cells) == expected);
        }
    }
    CHECK((ticks != 0 && events != 0 && dead_letters != 0));
}

TEST_CASE("a stream is header, tuples, trailer", "[copy_encode]") {
    byte_buffer out;
    ingest::begin_copy_stream(out);
    ingest::end_copy_stream(out);
    CHECK(to_hex(out.view()) ==
          "5047434f50590aff0d0a00"
          "00000000"
          "00000000"
          "ffff");
}

TEST_CASE("the longest texts fit", "[copy_encode]") {
    block in;
    const std::uint16_t from = tickd::test::add_origin(in, {}, 0, 0);
    const std::string document(ingest::limits::normal_form_bytes_max, ' ');
    ingest::record event;
    event.kind = ingest::record_kind::activity;
    event.action_type = "x";
    event.action_payload = document;
    event.metadata = document;
    const std::string raw(ingest::limits::line_bytes_ceiling, 'r');
    in.keep(event, raw, now_us, from);
    in.keep_refused({ingest::verdict::not_json, {}}, 0, raw, raw.size(), now_us, from);
    ingest::activity_hasher hasher;
    byte_buffer events, dead_letters;
    ingest::begin_copy_stream(events);
    append_event(in, in.events()[0], 1, hasher, events);
    ingest::end_copy_stream(events);
    ingest::begin_copy_stream(dead_letters);
    append_dead_letter(in, in.dead_letters()[0], dead_letters);
    ingest::end_copy_stream(dead_letters);

    const auto event_tuples = tickd::test::read_copy_stream(events.view());
    REQUIRE(event_tuples);
    CHECK(event_tuples->at(0).at(4)->substr(1) == document);
    CHECK(event_tuples->at(0).at(7)->substr(1) == document);
    const auto dead_tuples = tickd::test::read_copy_stream(dead_letters.view());
    REQUIRE(dead_tuples);
    CHECK(dead_tuples->at(0).at(9) == raw);
}

TEST_CASE("a statement names as many columns as its tuple has fields", "[copy_encode]") {
    const auto columns = [](std::string_view statement) {
        const std::string_view list =
            statement.substr(0, statement.find(')')).substr(statement.find('('));
        return std::count(list.begin(), list.end(), ',') + 1;
    };
    CHECK(columns(ingest::copy_ticks_statement) == 9);
    CHECK(columns(ingest::copy_events_statement) == 11);
    CHECK(columns(ingest::copy_dead_letters_statement) == 12);
}
