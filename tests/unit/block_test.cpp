#include "ingest/block.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/records.h"

using ingest::block;
using ingest::record;
using tickd::test::add_origin;
using tickd::test::keep_event;
using tickd::test::keep_tick;
using tickd::test::uuid_of;

namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;

std::uint16_t plain_origin(block& to) { return add_origin(to, {}, 0, 0); }

record tick_of(std::string_view symbol) {
    record tick;
    tick.symbol = symbol;
    return tick;
}

}  // namespace

TEST_CASE("a text inside the raw line is not kept twice", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    const std::string raw = R"({"symbol":"ETH","source":"binance"})";
    record tick = tick_of(std::string_view(raw).substr(11, 3));
    tick.source = std::string_view(raw).substr(26, 7);
    const std::size_t before = kept.byte_count();
    kept.keep(tick, raw, now_us, from);

    CHECK(kept.byte_count() == before + raw.size());
    const ingest::tick_row& row = kept.ticks()[0];
    CHECK(kept.text(row.raw) == raw);
    CHECK(kept.text(row.symbol) == "ETH");
    CHECK(kept.text(row.source) == "binance");
    CHECK_FALSE(row.metadata.present());
}

TEST_CASE("a text outside the raw line is copied", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    const std::string raw = R"({"symbol":"\u0045TH"})";
    std::string unescaped = "ETH";
    record tick = tick_of(unescaped);
    kept.keep(tick, raw, now_us, from);
    unescaped = "xxx";

    CHECK(kept.text(kept.ticks()[0].symbol) == "ETH");
    CHECK(kept.text(kept.ticks()[0].raw) == raw);
}

TEST_CASE("a text that only touches or overlaps the raw line is copied", "[block]") {
    const std::string memory = "beforeLINEafter";
    const std::string_view raw = std::string_view(memory).substr(6, 4);
    for (const auto& [begin, length] :
         {std::pair{0, 6}, {4, 4}, {8, 4}, {10, 5}, {0, 15}, {6, 4}, {6, 1}, {9, 1}}) {
        block kept;
        const std::uint16_t from = plain_origin(kept);
        const auto symbol =
            memory.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(length));
        const bool within = begin >= 6 && begin + length <= 10;
        const std::size_t before = kept.byte_count();
        kept.keep(tick_of(std::string_view(memory).substr(static_cast<std::size_t>(begin),
                                                          static_cast<std::size_t>(length))),
                  raw, now_us, from);
        CAPTURE(begin, length);
        CHECK(kept.text(kept.ticks()[0].symbol) == symbol);
        CHECK(kept.byte_count() == before + raw.size() + (within ? 0 : symbol.size()));
    }
}

TEST_CASE("absent and empty texts stay apart", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    record event;
    event.kind = ingest::record_kind::activity;
    event.agent_id = "";
    event.action_type = "x";
    event.action_payload = "{}";
    kept.keep(event, "raw", now_us, from);
    event.agent_id = {};
    kept.keep(event, "raw", now_us, from);

    CHECK(kept.events()[0].agent_id.present());
    CHECK(kept.events()[0].agent_id.length == 0);
    CHECK_FALSE(kept.events()[1].agent_id.present());
}

TEST_CASE("every field of a tick and of an event is kept", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    record tick = tick_of("S");
    tick.time_us = -5;
    tick.seq = 77;
    tick.tenant = uuid_of(9);
    tick.metadata = R"({"a": 1})";
    tick.bid = -1;
    tick.ask = ingest::price_limit - 1;
    tick.mid = 3;
    tick.volume = ingest::volume_limit - 1;
    kept.keep(tick, "raw", now_us, from);
    const ingest::tick_row& t = kept.ticks()[0];
    CHECK(t.time_us == -5);
    CHECK(t.seq == 77);
    CHECK(*kept.tenant(t.tenant) == uuid_of(9));
    CHECK(kept.text(t.metadata) == R"({"a": 1})");
    CHECK((t.bid == -1 && t.ask == ingest::price_limit - 1 && t.mid == 3));
    CHECK((t.has_volume && t.volume == ingest::volume_limit - 1));
    CHECK(t.origin == from);

    record event;
    event.kind = ingest::record_kind::activity;
    event.time_us = 12;
    event.action_type = "buy";
    event.action_payload = "[1]";
    event.user_id = uuid_of(1);
    kept.keep(event, "raw2", now_us + 1, from);
    const ingest::activity_row& e = kept.events()[0];
    CHECK(e.time_us == 12);
    CHECK(e.received_us == now_us + 1);
    CHECK((e.has_user_id && e.user_id == uuid_of(1)));
    CHECK_FALSE(e.has_session_id);
    CHECK(kept.tenant(e.tenant) == nullptr);
    CHECK(kept.text(e.action_payload) == "[1]");
    CHECK(kept.row_count() == 2);
    CHECK(kept.oldest_us() == now_us);
}

TEST_CASE("each tenant has one index, and no tenant has none", "[block]") {
    block kept;
    CHECK(kept.tenant_index_of(std::nullopt) == 0);
    CHECK(kept.tenant(0) == nullptr);
    const auto first = kept.tenant_index_of(uuid_of(1));
    const auto second = kept.tenant_index_of(uuid_of(2));
    CHECK(first != second);
    CHECK(kept.tenant_index_of(uuid_of(1)) == first);
    CHECK(kept.tenant_index_of(uuid_of(2)) == second);
    CHECK(*kept.tenant(first) == uuid_of(1));
    CHECK(*kept.tenant(second) == uuid_of(2));
    // The nil UUID is a tenant like any other.
    CHECK(kept.tenant_index_of(ingest::uuid{}) != 0);
}

TEST_CASE("a refused record is kept as it came, under its session's tenant", "[block]") {
    block kept;
    ingest::origin from{.session_id = 5};
    from.tenant = kept.tenant_index_of(uuid_of(3));
    const std::uint16_t at = kept.add_origin(from);
    const std::string raw("no\0json", 7);
    kept.keep_refused({ingest::verdict::line_too_long, "line"}, 12, raw, 2'000'000, now_us, at);

    const ingest::dead_letter_row& row = kept.dead_letters()[0];
    CHECK(kept.text(row.raw) == raw);
    CHECK(row.raw_length == 2'000'000);
    CHECK(row.reason == ingest::verdict::line_too_long);
    CHECK(row.field == "line");
    CHECK(row.seq == 12);
    CHECK(row.received_us == now_us);
    CHECK(*kept.tenant(row.tenant) == uuid_of(3));
    CHECK(row.sqlstate[0] == '\0');
}

TEST_CASE("a row that the server refused becomes a dead letter, once", "[block]") {
    block kept;
    const std::uint16_t from = add_origin(kept, "feed", 1, 0);
    for (std::uint64_t seq = 1; seq <= 3; ++seq) keep_tick(kept, from, seq);
    for (std::uint64_t seq = 4; seq <= 6; ++seq) keep_event(kept, from, seq);
    CHECK_FALSE(kept.tick_refused(1));

    for (int again = 0; again < 2; ++again) {
        kept.refuse_tick(1, "22003", now_us + 9);
        kept.refuse_event(2, "23514", now_us + 10);
    }
    CHECK((!kept.tick_refused(0) && kept.tick_refused(1) && !kept.tick_refused(2)));
    CHECK((!kept.event_refused(0) && !kept.event_refused(1) && kept.event_refused(2)));
    REQUIRE(kept.dead_letters().size() == 2);
    const ingest::dead_letter_row& tick = kept.dead_letters()[0];
    CHECK(tick.seq == 2);
    CHECK(kept.text(tick.raw) == "line 2");
    CHECK(tick.raw_length == 6);
    CHECK(tick.reason == ingest::verdict::refused_by_server);
    CHECK(std::string(tick.sqlstate.begin(), tick.sqlstate.end()) == "22003");
    CHECK(tick.received_us == now_us + 9);
    CHECK(kept.dead_letters()[1].seq == 6);
    CHECK(std::string(kept.dead_letters()[1].sqlstate.begin(),
                      kept.dead_letters()[1].sqlstate.end()) == "23514");

    const ingest::origin& counts = kept.origins()[from];
    CHECK(counts.received == 6);
    CHECK(counts.accepted == 4);
    CHECK(counts.dead_lettered == 2);
}

TEST_CASE("dropping a producer leaves out its rows and nobody else's", "[block]") {
    block kept;
    const std::uint16_t a = add_origin(kept, "feed-a", 1, 0);
    const std::uint16_t b = add_origin(kept, "feed-b", 2, 0);
    const std::uint16_t plain = add_origin(kept, {}, 0, 0);
    keep_tick(kept, a, 1);
    keep_tick(kept, b, 2);
    keep_tick(kept, plain, 3);
    keep_event(kept, b, 4);
    keep_event(kept, a, 5);
    kept.drop_producer("feed-a");

    CHECK(kept.origins()[a].lost);
    CHECK_FALSE(kept.origins()[b].lost);
    CHECK_FALSE(kept.origins()[plain].lost);
    CHECK((kept.tick_refused(0) && !kept.tick_refused(1) && !kept.tick_refused(2)));
    CHECK((!kept.event_refused(0) && kept.event_refused(1)));
    CHECK(kept.dead_letters().empty());  // Lost is not refused: the other daemon has them.

    kept.drop_producer("feed");  // no such name, though a prefix of one
    CHECK_FALSE(kept.origins()[b].lost);
    // A row refused before its producer was lost keeps its mark.
    kept.refuse_tick(1, "22003", now_us);
    kept.drop_producer("feed-b");
    CHECK((kept.tick_refused(1) && kept.event_refused(0) && !kept.tick_refused(2)));
}

TEST_CASE("a plain session is never dropped, whatever a producer is called", "[block]") {
    block kept;
    const std::uint16_t plain = add_origin(kept, {}, 0, 0);
    keep_tick(kept, plain, 1);
    kept.drop_producer("");
    CHECK_FALSE(kept.tick_refused(0));
    CHECK_FALSE(kept.origins()[plain].lost);
}

TEST_CASE("reset leaves nothing of the former use", "[block]") {
    block kept;
    CHECK(kept.empty());
    const std::uint16_t from = add_origin(kept, "feed", 1, 0);
    CHECK_FALSE(kept.empty());
    keep_tick(kept, from, 1);
    keep_event(kept, from, 2);
    kept.refuse_tick(0, "22003", now_us);
    kept.drop_producer("feed");
    CHECK(kept.tenant_index_of(uuid_of(1)) == 1);
    kept.reset();

    CHECK(kept.empty());
    CHECK(kept.row_count() == 0);
    CHECK(kept.byte_count() == 0);
    CHECK(kept.oldest_us() == 0);
    const std::uint16_t again = add_origin(kept, "feed", 1, 0);
    CHECK(again == 0);
    CHECK_FALSE(kept.origins()[0].lost);
    keep_tick(kept, again, 1);
    keep_event(kept, again, 2);
    CHECK_FALSE(kept.tick_refused(0));
    CHECK_FALSE(kept.event_refused(0));
    CHECK(kept.dead_letters().empty());
    CHECK(kept.tenant_index_of(uuid_of(2)) == 1);
}

TEST_CASE("a block is full at its rows, of all kinds together", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    for (std::uint32_t i = 0; i < ingest::limits::block_rows_max; ++i) {
        REQUIRE(kept.has_room());
        if (i % 3 == 0) keep_tick(kept, from, i);
        if (i % 3 == 1) keep_event(kept, from, i);
        if (i % 3 == 2) tickd::test::keep_refused(kept, from, i);
    }
    CHECK_FALSE(kept.has_room());
    CHECK(kept.row_count() == ingest::limits::block_rows_max);
    kept.reset();
    CHECK(kept.has_room());
}

TEST_CASE("a block is full at its bytes, overshot by one record at most", "[block]") {
    block kept;
    const std::uint16_t from = plain_origin(kept);
    const std::string raw(ingest::limits::block_bytes_soft_max - kept.byte_count() - 1, 'r');
    kept.keep(tick_of(std::string_view(raw).substr(0, 1)), raw, now_us, from);
    REQUIRE(kept.has_room());
    const std::string huge(ingest::limits::line_bytes_ceiling, 'h');
    kept.keep(tick_of(std::string_view(huge).substr(0, 3)), huge, now_us, from);
    CHECK_FALSE(kept.has_room());
    CHECK(kept.text(kept.ticks()[1].raw) == huge);
    CHECK(kept.text(kept.ticks()[0].symbol) == "r");
}

TEST_CASE("a block has room for so many origins", "[block]") {
    block kept;
    for (std::uint32_t i = 0; i < ingest::limits::block_origins_max; ++i) {
        REQUIRE(kept.has_room_for_origin());
        REQUIRE(add_origin(kept, "feed", i + 1, 0, i) == i);
    }
    CHECK_FALSE(kept.has_room_for_origin());
    CHECK(kept.origins()[255].session_id == 255);
}
