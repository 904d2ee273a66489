// The writer when the answer to COMMIT is missing, and when another daemon has taken a producer or
// the lane.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <utility>

#include "ingest/lane_writer.h"
#include "tests/support/writer_bench.h"

using doing = ingest::lane_writer::doing;
using calls = std::vector<std::string>;
using ingest::commit_outcome;
using ingest::database_error;
using tickd::test::check_all_delivered;
using tickd::test::error_of;
using tickd::test::writer_bench;

TEST_CASE("in doubt, only the ledger decides, and only after the lane is taken again",
          "[lane_writer]") {
    for (const bool kept : {true, false}) {
        CAPTURE(kept);
        writer_bench on;
        on.database.commit_script = {{commit_outcome::in_doubt, {}, kept}};
        on.push();
        on.push();
        CHECK(on.run() == doing::idle);
        calls expected{"take_lane", "commit 1:1", "disconnect", "take_lane", "was_committed 1:1"};
        if (!kept) expected.emplace_back("commit 2:2");
        CHECK(on.database.calls == expected);
        check_all_delivered(on);
        CHECK(on.writer.counts().in_doubt == 1);
        CHECK(on.writer.counts().in_doubt_committed == (kept ? 1 : 0));
        CHECK(on.writer.counts().batches == 1);
        CHECK(on.writer.counts().ticks == 4);
        CHECK(on.failures.size() == 1);
    }
}

TEST_CASE("nothing settles and no watermark is told while a batch is in doubt", "[lane_writer]") {
    writer_bench on;
    on.database.commit_script = {{commit_outcome::in_doubt, {}, true}};
    on.database.watermark_answer = 2;
    on.database.take_lane_script = {std::nullopt, error_of(""), error_of("57P03")};
    on.database.was_committed_script = {error_of("08006"), error_of("")};
    on.push();
    CHECK(on.step() == doing::worked);
    CHECK(on.step() == doing::worked);  // in doubt from here on
    on.ask_watermark();
    on.push();
    while (on.database.calls.back() != "was_committed 1:1" || !on.database.linked ||
           !on.database.was_committed_script.empty()) {
        REQUIRE(on.settled.empty());
        REQUIRE(on.answers.empty());
        REQUIRE(std::ranges::count(on.database.calls, "commit 1:1") == 1);
        on.now_us = std::max(on.now_us, on.writer.retry_at_us());
        REQUIRE(on.step() == doing::worked);
        if (on.settled.size() == 1) break;
    }
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
    CHECK(on.answers == std::vector<std::uint64_t>{2});
}

TEST_CASE("a second doubt about the same rows is a doubt of its own", "[lane_writer]") {
    writer_bench on;
    on.database.commit_script = {{commit_outcome::in_doubt, {}, false},
                                 {commit_outcome::in_doubt, {}, false},
                                 {commit_outcome::in_doubt, {}, true}};
    on.push();
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
    CHECK(on.database.ledger == std::set<std::pair<std::int64_t, std::int64_t>>{{3, 3}});
    CHECK(on.writer.counts().in_doubt == 3);
    CHECK(on.writer.counts().in_doubt_committed == 1);
}

TEST_CASE("a data error of the ledger's answer touches no row of the batch in doubt",
          "[lane_writer]") {
    writer_bench on;
    on.database.commit_script = {{commit_outcome::in_doubt, {}, true}};
    on.database.was_committed_script = {error_of("22003")};
    on.push();
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
    CHECK(std::ranges::count(on.database.calls, "find_refused") == 0);
}

TEST_CASE("a lost producer's rows are not written, and everybody else's are", "[lane_writer]") {
    writer_bench on(1, 4);
    database_error lost = error_of("TK002");
    lost.subject = "feed-a";
    on.database.commit_script = {{commit_outcome::failed, lost}};
    on.push(2);  // 1, 2: in the first batch
    on.push_plain(100);
    on.push(4);  // 3 to 6: in one that was gathered and prepared before the loss
    on.push_plain(101);
    on.database.during_commit = [&on, first = true]() mutable {
        if (std::exchange(first, false)) on.push(2);
    };
    CHECK(on.run() == doing::idle);
    CHECK(on.kept_seqs() == std::vector<std::uint64_t>{100, 101});
    CHECK(on.settled.size() == on.blocks_pushed);
    CHECK(on.settled_in_order());
    for (const auto& done : on.settled) {
        const ingest::origin& from = done->origins()[0];
        CHECK(from.lost == (from.producer != 0));
    }
    CHECK(on.waits_us.empty());

    // Until the producer has been told where to resume, what comes under its name is dropped.
    on.push(1);
    CHECK(on.run() == doing::idle);
    CHECK(on.settled.back()->origins()[0].lost);
    on.database.watermark_answer = 2;
    on.ask_watermark();
    CHECK(on.run() == doing::idle);
    CHECK(on.answers == std::vector<std::uint64_t>{2});
    on.push(1);
    CHECK(on.run() == doing::idle);
    CHECK_FALSE(on.settled.back()->origins()[0].lost);
    CHECK(on.kept_seqs() == std::vector<std::uint64_t>{on.newest_seq, 100, 101});
}

TEST_CASE("a lost producer that is not in the batch does not spin", "[lane_writer]") {
    writer_bench on;
    for (int i = 0; i < 4; ++i) {
        database_error lost = error_of("TK002");
        lost.subject = i < 2 ? "stranger" : "";
        on.database.commit_script.push_back({commit_outcome::failed, lost});
    }
    on.push(2);
    CHECK(on.run() == doing::idle);
    check_all_delivered(on);
    CHECK_FALSE(on.waits_us.empty());
}

TEST_CASE("a fenced writer writes nothing more and settles nothing", "[lane_writer]") {
    for (int call = 0; call < 4; ++call) {
        CAPTURE(call);
        writer_bench on;
        if (call == 0) on.database.take_lane_script = {error_of("TK001")};
        if (call == 1) {
            on.database.commit_script = {{commit_outcome::failed, error_of("TK001")}};
        }
        if (call == 2) {
            on.database.commit_script = {{commit_outcome::in_doubt, {}, true}};
            on.database.take_lane_script = {std::nullopt, error_of("TK001")};
        }
        if (call == 3) {
            on.database.watermark_script = {error_of("TK001")};
            on.ask_watermark();
        }
        on.push();
        CHECK(on.run() == doing::fenced);
        const std::size_t made = on.database.calls.size();
        on.push();
        on.ask_watermark();
        on.now_us += 3'600'000'000;
        CHECK(on.run() == doing::fenced);
        CHECK(on.database.calls.size() == made);
        CHECK_FALSE(on.database.linked);
        CHECK(on.settled.empty());
        CHECK(on.answers.empty());
        CHECK_FALSE(on.writer.connected());
    }
}
