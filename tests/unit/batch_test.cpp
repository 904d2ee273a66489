#include "ingest/batch.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <tuple>

#include "tests/support/records.h"

using ingest::batch;
using ingest::block;
using tickd::test::add_origin;
using tickd::test::keep_event;
using tickd::test::keep_tick;
using tickd::test::known_row;
using tickd::test::known_rows;
using tickd::test::uuid_of;

namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;

// Prefixes of one another, shared first eight bytes, bytes beyond 127, one and twenty characters.
constexpr std::array<std::string_view, 16> symbols{
    "A",         "AA",       "AAAAAAA",   "AAAAAAAA",
    "AAAAAAAAA", "AAAAAAAB", "AAAAAAAAB", "AAAAAAAA\x7f",
    "BTC",       "é",        "éééé",      "ééééé",
    "éééé€",     "€",        "😂😂",      "zzzzzzzzzzzzzzzzzzzz"};

struct sent_tick {
    std::string tenant;  // empty: none
    std::string symbol;
    std::int64_t time_us;
    std::uint64_t seq;
};

// By (tenant, symbol's bytes, time); seq is the arrival and stays as it was among equals.
[[nodiscard]] std::vector<std::uint64_t> naive_order(std::vector<sent_tick> ticks) {
    std::ranges::stable_sort(ticks, [](const sent_tick& a, const sent_tick& b) {
        const auto unsigned_less = [](char x, char y) {
            return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
        };
        if (a.tenant != b.tenant) return a.tenant < b.tenant;  // hex text: the order of the bytes
        if (a.symbol != b.symbol) {
            return std::ranges::lexicographical_compare(a.symbol, b.symbol, unsigned_less);
        }
        return a.time_us < b.time_us;
    });
    std::vector<std::uint64_t> order;
    for (const sent_tick& tick : ticks) order.push_back(tick.seq);
    return order;
}

[[nodiscard]] std::vector<std::uint64_t> seqs_of(const std::vector<known_row>& rows) {
    std::vector<std::uint64_t> seqs;
    for (const known_row& row : rows) seqs.push_back(row.seq);
    return seqs;
}

// The stream runs from the last place to the first.
[[nodiscard]] std::vector<std::uint64_t> tick_order(const batch& rows) {
    auto seqs = seqs_of(known_rows(known_row::table::ticks, rows.tick_stream()));
    std::ranges::reverse(seqs);
    return seqs;
}

// `share` of tickets go to one of `tenants` tenants, the rest to none.
void check_random_batch(std::mt19937_64& random, std::size_t tenants) {
    batch rows;
    std::vector<sent_tick> sent;
    const std::size_t blocks = 1 + random() % 5;
    for (std::size_t i = 0; i < blocks; ++i) {
        auto filling = std::make_unique<block>();
        const std::uint16_t from = add_origin(*filling, {}, 0, 0);
        for (std::uint64_t left = random() % 60; left != 0; --left) {
            const std::uint64_t seq = sent.size() + 1;
            ingest::record tick;
            tick.symbol = symbols[random() % symbols.size()];
            tick.time_us = now_us + static_cast<std::int64_t>(random() % 4) - 2;
            tick.bid = ingest::int128{seq} * ingest::decimal_one;
            if (const auto of = random() % (tenants + 1); of != 0) {
                tick.tenant = uuid_of(static_cast<std::uint8_t>(255 - of));
            }
            filling->keep(tick, "raw", now_us, from);
            sent.push_back({tick.tenant ? to_text(*tick.tenant) : "", std::string(tick.symbol),
                            tick.time_us, seq});
        }
        rows.add(std::move(filling));
        // Steps that another block makes worthless.
        if (random() % 2 == 0) static_cast<void>(rows.prepare_some(random() % 9));
    }
    while (rows.prepare_some(1 + random() % 9)) {
    }
    REQUIRE(rows.ticks().size() == sent.size());
    REQUIRE(tick_order(rows) == naive_order(sent));
    const std::string ticks(rows.tick_stream()), segments(rows.segment_stream());
    rows.prepare();
    REQUIRE(rows.tick_stream() == ticks);
    REQUIRE(rows.segment_stream() == segments);
}

}  // namespace

TEST_CASE("ticks stand in the order of a plain stable sort", "[batch]") {
    std::mt19937_64 random(20'24);
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        check_random_batch(random, static_cast<std::size_t>(round % 4));
    }
}

TEST_CASE("events keep their arrival within a tenant, and ids run without a gap", "[batch]") {
    std::mt19937_64 random(5);
    batch rows;
    std::vector<std::tuple<std::uint64_t, std::uint64_t>> expected;  // tenant, arrival
    std::uint64_t seq = 0;
    for (int i = 0; i < 4; ++i) {
        auto filling = std::make_unique<block>();
        const std::uint16_t from = add_origin(*filling, {}, 0, 0);
        for (int row = 0; row < 25; ++row) {
            const std::uint64_t tenant = random() % 3;
            const std::string payload = std::to_string(++seq);
            ingest::record event;
            event.kind = ingest::record_kind::activity;
            event.action_type = "a";
            event.action_payload = payload;
            event.time_us = now_us - static_cast<std::int64_t>(seq);  // time does not order them
            if (tenant != 0) event.tenant = uuid_of(static_cast<std::uint8_t>(tenant));
            filling->keep(event, "raw", now_us, from);
            expected.emplace_back(tenant, seq);
        }
        rows.add(std::move(filling));
    }
    std::ranges::stable_sort(expected, {}, [](const auto& event) { return std::get<0>(event); });

    ingest::activity_hasher hasher;
    rows.prepare();
    REQUIRE_FALSE(rows.events_numbered());
    CHECK(rows.event_stream().empty());
    rows.number_events(1'000, hasher);
    REQUIRE(rows.events_numbered());
    const auto written = known_rows(known_row::table::events, rows.event_stream());
    REQUIRE(written.size() == expected.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
        REQUIRE(written[i].seq == std::get<1>(expected[i]));
        REQUIRE(written[i].id == 1'000 + static_cast<std::int64_t>(i));
    }
}

TEST_CASE("a batch without rows of a kind has no stream for it", "[batch]") {
    batch rows;
    CHECK(rows.empty());
    auto filling = std::make_unique<block>();
    add_origin(*filling, "feed", 1, 7);
    rows.add(std::move(filling));
    rows.prepare();
    CHECK_FALSE(rows.empty());
    CHECK(rows.tick_stream().empty());
    CHECK(rows.event_stream().empty());
    CHECK(rows.dead_letter_stream().empty());
    CHECK(rows.events_numbered());
    CHECK(rows.dead_letter_count() == 0);
}

TEST_CASE("a producer's share spans its blocks", "[batch]") {
    batch rows;
    auto first = std::make_unique<block>();
    const std::uint16_t a1 = add_origin(*first, "feed-a", 1, 10);
    const std::uint16_t b1 = add_origin(*first, "feed-b", 2, 0);
    const std::uint16_t plain = add_origin(*first, {}, 0, 0);
    keep_tick(*first, a1, 11);
    keep_tick(*first, a1, 13);
    keep_event(*first, b1, 1);
    keep_tick(*first, plain, 99);
    auto second = std::make_unique<block>();
    const std::uint16_t a2 = add_origin(*second, "feed-a", 1, 13);
    tickd::test::keep_refused(*second, a2, 14);
    second->origin_at(a2).duplicates = 3;
    second->origin_at(a2).received += 3;
    rows.add(std::move(first));
    rows.add(std::move(second));
    rows.prepare();

    REQUIRE(rows.producers().size() == 2);
    const ingest::producer_share& a = rows.producers()[0];
    CHECK(a.name == "feed-a");
    CHECK(a.producer == 1);
    CHECK(a.expected_seq == 10);
    CHECK(a.newest_seq == 14);
    CHECK(a.received == 6);
    CHECK(a.accepted == 2);
    CHECK(a.duplicates == 3);
    CHECK(a.dead_lettered == 1);
    const ingest::producer_share& b = rows.producers()[1];
    CHECK(b.name == "feed-b");
    CHECK((b.expected_seq == 0 && b.newest_seq == 1 && b.accepted == 1));
}

TEST_CASE("refused rows are left out and become dead letters", "[batch]") {
    batch rows;
    for (std::uint64_t i = 0; i < 3; ++i) {
        auto filling = std::make_unique<block>();
        const std::uint16_t from = add_origin(*filling, "feed", 1, i * 4);
        keep_tick(*filling, from, i * 4 + 1, "Z");
        keep_tick(*filling, from, i * 4 + 2, i == 1 ? tickd::test::poison : "Y");
        keep_event(*filling, from, i * 4 + 3, i == 2 ? tickd::test::poison : "x");
        tickd::test::keep_refused(*filling, from, i * 4 + 4);
        rows.add(std::move(filling));
    }
    ingest::activity_hasher hasher;
    rows.prepare();
    CHECK(rows.dead_letter_count() == 3);
    for (std::size_t place = 0; place < rows.ticks().size(); ++place) {
        const ingest::tick_place& at = rows.ticks()[place];
        if (at.in->ticks()[at.row].seq == 6) rows.refuse_tick(place, "22003", now_us);
    }
    rows.refuse_event(2, "23514", now_us);
    rows.prepare();
    rows.number_events(1, hasher);

    CHECK(tick_order(rows) == std::vector<std::uint64_t>{2, 10, 1, 5, 9});
    CHECK(seqs_of(known_rows(known_row::table::events, rows.event_stream())) ==
          std::vector<std::uint64_t>{3, 7});
    auto dead = seqs_of(known_rows(known_row::table::dead_letters, rows.dead_letter_stream()));
    std::ranges::sort(dead);
    CHECK(dead == std::vector<std::uint64_t>{4, 6, 8, 11, 12});
    CHECK(rows.dead_letter_count() == 5);
    const ingest::producer_share& share = rows.producers()[0];
    CHECK((share.received == 12 && share.accepted == 7 && share.dead_lettered == 5));
    CHECK((share.expected_seq == 0 && share.newest_seq == 12));
}

TEST_CASE("a dropped producer's rows, dead letters and share are left out", "[batch]") {
    batch rows;
    for (std::uint64_t i = 0; i < 2; ++i) {
        auto filling = std::make_unique<block>();
        const std::uint16_t a = add_origin(*filling, "feed-a", 1, i * 3);
        const std::uint16_t b = add_origin(*filling, "feed-b", 2, i * 3);
        for (const std::uint16_t from : {a, b}) {
            keep_tick(*filling, from, i * 3 + 1);
            keep_event(*filling, from, i * 3 + 2);
            tickd::test::keep_refused(*filling, from, i * 3 + 3);
        }
        rows.add(std::move(filling));
    }
    ingest::activity_hasher hasher;
    rows.prepare();
    rows.drop_producer("feed-a");
    rows.prepare();
    rows.number_events(1, hasher);

    const std::vector<known_row> written = known_rows(rows);
    CHECK(written.size() == 6);
    CHECK(std::ranges::all_of(written, [](const known_row& row) { return row.feed == "feed-b"; }));
    REQUIRE(rows.producers().size() == 1);
    CHECK(rows.producers()[0].name == "feed-b");
}

TEST_CASE("a range of places is a stream of its own", "[batch]") {
    batch rows;
    auto filling = std::make_unique<block>();
    const std::uint16_t from = add_origin(*filling, "feed", 1, 0);
    for (std::uint64_t seq = 1; seq <= 10; ++seq) keep_tick(*filling, from, seq);
    for (std::uint64_t seq = 11; seq <= 20; ++seq) keep_event(*filling, from, seq);
    rows.add(std::move(filling));
    rows.prepare();

    ingest::byte_buffer out;
    rows.encode_ticks(3, 6, out);
    CHECK(seqs_of(known_rows(known_row::table::ticks, out.view())) ==
          std::vector<std::uint64_t>{6, 5, 4});
    out.clear();
    ingest::activity_hasher hasher;
    rows.encode_events(8, 10, 100, hasher, out);
    const auto events = known_rows(known_row::table::events, out.view());
    REQUIRE(events.size() == 2);
    CHECK((events[0].seq == 19 && events[0].id == 108));
    CHECK((events[1].seq == 20 && events[1].id == 109));
}

TEST_CASE("a batch has room for so many rows, blocks and bytes", "[batch]") {
    batch by_rows;
    REQUIRE(by_rows.has_room(3));
    for (std::uint64_t i = 0; i < 3; ++i) {
        REQUIRE(by_rows.has_room(3));
        auto filling = std::make_unique<block>();
        keep_tick(*filling, add_origin(*filling, {}, 0, 0), i);
        by_rows.add(std::move(filling));
    }
    CHECK_FALSE(by_rows.has_room(3));
    CHECK(by_rows.has_room(4));

    batch by_blocks;
    for (std::uint32_t i = 0; i < ingest::limits::batch_blocks_max; ++i) {
        REQUIRE(by_blocks.has_room(ingest::limits::batch_rows_max));
        by_blocks.add(std::make_unique<block>());
    }
    CHECK_FALSE(by_blocks.has_room(ingest::limits::batch_rows_max));

    batch by_bytes;
    auto filling = std::make_unique<block>();
    static_cast<void>(filling->keep_text(std::string(ingest::limits::batch_bytes_max, 'x')));
    by_bytes.add(std::move(filling));
    CHECK_FALSE(by_bytes.has_room(ingest::limits::batch_rows_max));
}

TEST_CASE("release gives the blocks back in order and leaves an empty batch", "[batch]") {
    batch rows;
    ingest::activity_hasher hasher;
    for (std::uint64_t use = 0; use < 2; ++use) {
        std::vector<const block*> added;
        for (std::uint64_t i = 0; i < 3; ++i) {
            auto filling = std::make_unique<block>();
            const std::uint16_t from = add_origin(*filling, "feed", 1, i);
            keep_tick(*filling, from, i + 1);
            keep_event(*filling, from, i + 1);
            added.push_back(filling.get());
            rows.add(std::move(filling));
        }
        rows.prepare();
        rows.number_events(1, hasher);
        CHECK(rows.row_count() == 6);
        CHECK(rows.ticks().size() == 3);
        const auto released = rows.release();
        REQUIRE(released.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(released[i].get() == added[i]);
        CHECK(rows.empty());
        CHECK(rows.row_count() == 0);
        CHECK((rows.ticks().empty() && rows.events().empty() && rows.producers().empty()));
        CHECK((rows.tick_stream().empty() && rows.event_stream().empty()));
        CHECK_FALSE(rows.events_numbered());
        CHECK(rows.has_room(1));
    }
}

TEST_CASE("the oldest record of a batch decides its age", "[batch]") {
    batch rows;
    CHECK(rows.oldest_us() == 0);
    for (const std::int64_t age : {5, 9, 2}) {
        auto filling = std::make_unique<block>();
        const std::uint16_t from = add_origin(*filling, {}, 0, 0);
        ingest::record tick;
        tick.symbol = "S";
        filling->keep(tick, "raw", now_us - age, from);
        filling->keep(tick, "raw", now_us, from);
        rows.add(std::move(filling));
    }
    rows.add(std::make_unique<block>());  // without rows: no age
    CHECK(rows.oldest_us() == now_us - 9);
}
