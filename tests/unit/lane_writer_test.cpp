#include "ingest/lane_writer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>

#include "tests/support/writer_bench.h"

using doing = ingest::lane_writer::doing;
using calls = std::vector<std::string>;
using ingest::commit_outcome;
using tickd::test::check_all_delivered;
using tickd::test::error_of;
using tickd::test::known_row;
using tickd::test::poison;
using tickd::test::writer_bench;

TEST_CASE("what lies in the ring goes out as one batch", "[lane_writer]") {
    writer_bench on;
    on.push();
    on.push();
    CHECK(on.run() == doing::idle);
    CHECK(on.database.calls == calls{"take_lane", "commit 1:1"});
    check_all_delivered(on);
    CHECK(on.writer.counts().batches == 1);
    CHECK(on.writer.counts().ticks == 4);

    on.push();
    CHECK(on.run() == doing::idle);
    CHECK(on.database.calls.back() == "commit 1:2");
    check_all_delivered(on);
    CHECK(on.waits_us.empty());
}

TEST_CASE("an idle writer holds the lane and writes nothing", "[lane_writer]") {
    writer_bench on;
    CHECK(on.run() == doing::idle);
    CHECK(on.run() == doing::idle);
    CHECK(on.database.calls == calls{"take_lane"});
    CHECK(on.writer.connected());
}

TEST_CASE("a batch ends at its rows", "[lane_writer]") {
    writer_bench on(1, 4);
    for (int i = 0; i < 5; ++i) on.push(2);
    CHECK(on.run() == doing::idle);
    CHECK(on.writer.counts().batches == 3);
    check_all_delivered(on);
}

TEST_CASE("the next batch is gathered while the first is with the database", "[lane_writer]") {
    writer_bench on(1, 4);
    on.push(4);
    bool pushed = false;
    on.database.during_commit = [&] {
        if (std::exchange(pushed, true)) return;
        on.push(4);
        on.push(2);
    };
    CHECK(on.step() == doing::worked);  // takes the lane
    CHECK(on.step() == doing::worked);  // commits the first batch
    // Only what that batch held is home; a full batch has been taken from the ring meanwhile.
    CHECK(on.settled.size() == 1);
    CHECK(on.ring.size() == 1);
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
}

TEST_CASE("while it waits, the writer gathers but does not touch the database", "[lane_writer]") {
    writer_bench on(1, 4);
    on.database.take_lane_script = {error_of("")};
    CHECK(on.step() == doing::worked);
    for (int i = 0; i < 3; ++i) on.push(2);
    const std::size_t before = on.database.calls.size();
    CHECK(on.step() == doing::waiting);
    CHECK(on.database.calls.size() == before);
    CHECK(on.ring.size() == 1);
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
}

TEST_CASE("each failure of each call leads to its action, and nothing is lost or doubled",
          "[lane_writer]") {
    const std::vector<std::string> states{"",      "08006", "57P01", "53300", "25006", "40001",
                                          "40P01", "55P03", "57014", "53100", "58030", "42501",
                                          "0A000", "XX000", "99999", "22003", "23514", "23505"};
    for (const std::string& state : states) {
        for (int call = 0; call < 5; ++call) {
            for (int times = 1; times <= 3; ++times) {
                CAPTURE(state, call, times);
                writer_bench on;
                // What the call needs to be made at all.
                if (call == 2) on.database.commit_script = {{commit_outcome::in_doubt, {}, true}};
                on.push(2, call == 3 ? poison : "EURUSD");
                on.push(3);
                on.ask_watermark();
                for (int i = 0; i < times; ++i) {
                    if (call == 0) on.database.take_lane_script.emplace_back(error_of(state));
                    if (call == 1) {
                        on.database.commit_script.push_back(
                            {commit_outcome::failed, error_of(state)});
                    }
                    if (call == 2) on.database.was_committed_script.emplace_back(error_of(state));
                    if (call == 3) on.database.find_refused_script.emplace_back(error_of(state));
                    if (call == 4) on.database.watermark_script.emplace_back(error_of(state));
                }
                CHECK(on.run() == doing::idle);
                check_all_delivered(on);
                const std::size_t dead = call == 3 ? 1 : 0;
                CHECK(on.kept_seqs(known_row::table::dead_letters).size() == dead);
                CHECK(on.answers == std::vector<std::uint64_t>{0});
                const auto told = std::ranges::count(
                    on.failures, state, [](const auto& failure) { return failure.second; });
                CHECK(told >= times);
            }
        }
    }
}

TEST_CASE("a lost link is followed by taking the lane, a mere retry is not", "[lane_writer]") {
    for (const std::string_view state : {"", "57P01", "25006", "53100", "42501"}) {
        CAPTURE(state);
        writer_bench on;
        on.database.commit_script = {{commit_outcome::failed, error_of(state)}};
        on.push();
        CHECK(on.run() == doing::idle);
        CHECK(on.database.calls ==
              calls{"take_lane", "commit 1:1", "disconnect", "take_lane", "commit 2:2"});
        CHECK(on.waits_us.size() == 1);
    }
    for (const std::string_view state : {"40001", "55P03", "57014", "23505"}) {
        CAPTURE(state);
        writer_bench on;
        on.database.commit_script = {{commit_outcome::failed, error_of(state)}};
        on.push();
        CHECK(on.run() == doing::idle);
        CHECK(on.database.calls == calls{"take_lane", "commit 1:1", "commit 1:2"});
        CHECK(on.waits_us.size() == 1);
    }
}

TEST_CASE("taken ids are not tried again", "[lane_writer]") {
    for (const auto& [state, renumbered] : {std::pair{"23505", true}, {"40001", false}}) {
        writer_bench on;
        auto filling = std::make_unique<ingest::block>();
        const std::uint16_t from = tickd::test::add_origin(*filling, "feed-a", 1, 0, 1);
        tickd::test::keep_event(*filling, from, 1);
        tickd::test::keep_event(*filling, from, 2);
        on.ring.push_back(std::move(filling));
        on.database.commit_script = {{commit_outcome::failed, error_of(state)}};
        CHECK(on.run() == doing::idle);
        REQUIRE(on.database.kept.size() == 2);
        CHECK(on.database.kept[0].id == (renumbered ? 3 : 1));
        CHECK(on.database.kept[1].id == (renumbered ? 4 : 2));
    }
}

TEST_CASE("a refused row becomes a dead letter and costs its neighbours nothing", "[lane_writer]") {
    writer_bench on;
    on.push(3);
    on.push(3, poison);
    on.push(3);
    CHECK(on.run() == doing::idle);
    CHECK(on.database.calls == calls{"take_lane", "commit 1:1", "find_refused", "commit 1:2"});
    check_all_delivered(on);
    CHECK(on.kept_seqs(known_row::table::dead_letters) == std::vector<std::uint64_t>{4});
    CHECK(on.writer.counts().ticks == 8);
    CHECK(on.writer.counts().dead_letters == 1);
    REQUIRE(on.settled.size() == 3);
    CHECK(on.settled[1]->dead_letters()[0].seq == 4);
    CHECK(on.settled[1]->origins()[0].dead_lettered == 1);
    CHECK(on.waits_us.empty());
}

TEST_CASE("a refused event becomes a dead letter too", "[lane_writer]") {
    writer_bench on;
    auto filling = std::make_unique<ingest::block>();
    const std::uint16_t from = tickd::test::add_origin(*filling, "feed-a", 1, 0, 1);
    tickd::test::keep_event(*filling, from, 1);
    tickd::test::keep_event(*filling, from, 2, poison);
    on.ring.push_back(std::move(filling));
    CHECK(on.run() == doing::idle);
    CHECK(on.kept_seqs(known_row::table::events) == std::vector<std::uint64_t>{1});
    CHECK(on.kept_seqs(known_row::table::dead_letters) == std::vector<std::uint64_t>{2});
    CHECK(on.writer.counts().events == 1);
}

TEST_CASE("a data error whose row is not found pauses with the batch whole", "[lane_writer]") {
    writer_bench on;
    on.database.finds_nothing = true;
    on.push(2, poison);
    for (int i = 0; i < 20; ++i) {
        REQUIRE(on.step() != doing::idle);
        on.now_us = std::max(on.now_us, on.writer.retry_at_us());
    }
    CHECK(on.settled.empty());
    CHECK(on.database.kept.empty());
    CHECK(on.writer.holds_rows());
    on.database.finds_nothing = false;  // whatever it was, it has been mended
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
}

TEST_CASE("waits double up to a cap, with a jitter of their own", "[lane_writer]") {
    struct waits {
        std::string_view sqlstate;
        std::int64_t base_us, cap_us;
    };
    for (const auto& [sqlstate, base_us, cap_us] :
         {waits{"", 20'000, 5'000'000}, waits{"53100", 200'000, 10'000'000},
          waits{"42501", 1'000'000, 10'000'000}, waits{"40001", 2'000, 200'000}}) {
        CAPTURE(sqlstate);
        std::vector<std::vector<std::int64_t>> by_seed;
        for (const std::uint64_t seed : {1U, 1U, 2U}) {
            writer_bench on(seed);
            constexpr int failures = 40;
            for (int i = 0; i < failures; ++i) {
                on.database.commit_script.push_back({commit_outcome::failed, error_of(sqlstate)});
            }
            on.push();
            CHECK(on.run() == doing::idle);
            REQUIRE(on.waits_us.size() == failures);
            std::int64_t whole = base_us;
            for (const std::int64_t wait_us : on.waits_us) {
                CHECK(wait_us >= whole / 2);
                CHECK(wait_us <= whole);
                whole = std::min(whole * 2, cap_us);
            }
            // A commit that succeeds ends the row of failures.
            on.database.commit_script.push_back({commit_outcome::failed, error_of(sqlstate)});
            on.push();
            CHECK(on.run() == doing::idle);
            CHECK(on.waits_us.back() <= base_us);
            by_seed.push_back(on.waits_us);
        }
        CHECK(by_seed[0] == by_seed[1]);
        CHECK(by_seed[0] != by_seed[2]);
    }
}

TEST_CASE("watermarks are told before the next batch goes out", "[lane_writer]") {
    writer_bench on;
    on.database.watermark_answer = 41;
    on.push();
    on.ask_watermark();
    CHECK(on.run() == doing::idle);
    CHECK(on.database.calls == calls{"take_lane", "watermark feed-a", "commit 1:1"});
    CHECK(on.answers == std::vector<std::uint64_t>{41});
    CHECK(on.requests.empty());
}
