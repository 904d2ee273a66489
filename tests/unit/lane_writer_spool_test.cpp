// The writer with a spool: which blocks go there, in which order they come back, and that each is
// committed once whatever fails.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "ingest/lane_writer.h"
#include "tests/support/memory_spool.h"
#include "tests/support/writer_bench.h"

using doing = ingest::lane_writer::doing;
using ingest::commit_outcome;
using tickd::test::error_of;
using tickd::test::memory_spool;
using tickd::test::spool_disk;
using tickd::test::writer_bench;

namespace {

constexpr std::int64_t second = 1'000'000;

void lose_database(writer_bench& on, int failures = 12) {
    for (int i = 0; i < failures; ++i) on.database.take_lane_script.emplace_back(error_of(""));
}

// Everything pushed is kept once and everything is home, one way or the other.
void check_kept_once(const writer_bench& on) {
    std::vector<std::uint64_t> all(on.newest_seq);
    std::iota(all.begin(), all.end(), 1);
    CHECK(on.kept_seqs() == all);
    CHECK(on.settled.size() + on.spooled.size() == on.blocks_pushed);
    CHECK_FALSE(on.writer.holds_rows());
    CHECK_FALSE(on.writer.has_backlog());
    CHECK(on.database.calls_without_link == 0);
    CHECK(std::ranges::is_sorted(on.replayed));
}

std::vector<std::uint64_t> kept_in_order(const writer_bench& on) {
    std::vector<std::uint64_t> seqs;
    for (const auto& row : on.database.kept) seqs.push_back(row.seq);
    return seqs;
}

}  // namespace

TEST_CASE("a database that is away for a moment troubles no disk", "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 1000, &spool);
    on.database.take_lane_script = {error_of("")};
    on.push();
    CHECK(on.run() == doing::idle);
    CHECK(on.spooled.empty());
    CHECK(on.settled.size() == 1);
    check_kept_once(on);
}

TEST_CASE("while the database stays away blocks go home as spooled and come back in order",
          "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 6, &spool);
    lose_database(on);
    on.push();
    CHECK(on.step() == doing::worked);
    CHECK(on.step() == doing::waiting);
    CHECK(on.spooled.empty());
    on.now_us += second;
    for (int i = 0; i < 9; ++i) on.push();
    CHECK(on.step() == doing::worked);  // another attempt
    CHECK(on.step() == doing::waiting);
    CHECK(on.spooled.size() == 10);
    CHECK(on.ring.empty());
    CHECK(disk.synced == 10);
    CHECK(on.writer.spool_counts().blocks == 10);
    CHECK(on.writer.spool_counts().records == 20);

    CHECK(on.run() == doing::idle);
    check_kept_once(on);
    CHECK(std::ranges::is_sorted(kept_in_order(on)));
    CHECK(on.settled.empty());
    CHECK(on.replayed.size() == 10);
    CHECK(on.writer.spool_counts().left == 20);
    CHECK(disk.entries.empty());
    on.push();
    CHECK(on.run() == doing::idle);
    CHECK(on.settled.size() == 1);
    check_kept_once(on);
}

TEST_CASE("a full ring does not wait for patience to run out", "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 1000, &spool);
    lose_database(on);
    on.push();
    CHECK(on.step() == doing::worked);
    on.starved = true;
    CHECK(on.step() == doing::waiting);
    CHECK(on.spooled.size() == 1);
    on.starved = false;
    CHECK(on.run() == doing::idle);
    check_kept_once(on);
}

TEST_CASE("a commit that stalls with a full ring goes to the spool under its name",
          "[lane_writer_spool]") {
    for (const auto outcome :
         {commit_outcome::committed, commit_outcome::failed, commit_outcome::in_doubt}) {
        for (const bool kept : {true, false}) {
            CAPTURE(static_cast<int>(outcome), kept);
            spool_disk disk;
            memory_spool spool(disk);
            writer_bench on(1, 1000, &spool);
            on.database.commit_script = {{outcome, {}, kept && outcome != commit_outcome::failed}};
            on.push();
            bool first = true;
            on.database.during_commit = [&] {
                if (!std::exchange(first, false)) return;
                on.push();
                on.starved = true;
                on.now_us += second;
            };
            CHECK(on.step() == doing::worked);  // takes the lane
            CHECK(on.step() == doing::worked);  // asks how far the spool is
            CHECK(on.step() == doing::worked);
            REQUIRE(disk.next == 3);
            on.starved = false;
            CHECK(on.run() == doing::idle);
            check_kept_once(on);
            CHECK(std::ranges::is_sorted(kept_in_order(on)));
        }
    }
}

TEST_CASE("a batch in doubt is spooled under its name, and the ledger decides later",
          "[lane_writer_spool]") {
    for (const bool kept : {true, false}) {
        CAPTURE(kept);
        spool_disk disk;
        memory_spool spool(disk);
        writer_bench on(1, 1000, &spool);
        on.database.commit_script = {{commit_outcome::in_doubt, {}, kept}};
        on.push();
        on.database.take_lane_script = {std::nullopt};
        lose_database(on);
        on.push();
        CHECK(on.run() == doing::idle);
        CHECK_FALSE(on.spooled.empty());
        CHECK(on.writer.counts().in_doubt_committed == (kept ? 1 : 0));
        // What another transaction committed is told to the database, against the next start.
        CHECK(std::ranges::count_if(on.database.calls, [](const std::string& call) {
                  return call.starts_with("pass_spool");
              }) == (kept ? 1 : 0));
        check_kept_once(on);
    }
}

TEST_CASE("a process that dies before it has deleted its blocks does not double them",
          "[lane_writer_spool]") {
    spool_disk disk;
    std::vector<tickd::test::known_row> kept;
    std::map<ingest::uuid, std::int64_t> spools;
    {
        memory_spool spool(disk);
        writer_bench on(1, 4, &spool);
        lose_database(on);
        on.stopping = true;
        for (int i = 0; i < 6; ++i) on.push();
        on.push_plain(100);
        CHECK(on.step() == doing::worked);
        CHECK(on.step() == doing::waiting);
        REQUIRE(on.spooled.size() == 7);
        CHECK_FALSE(on.writer.holds_rows_in_memory());
    }
    const auto before = disk.entries;
    {
        memory_spool spool(disk);
        writer_bench on(1, 4, &spool);
        while (on.database.kept.size() < 4) REQUIRE(on.step() == doing::worked);
        kept = on.database.kept;
        spools = on.database.spools;
    }
    disk.entries = before;  // as if none had been deleted
    memory_spool spool(disk);
    writer_bench on(1, 4, &spool);
    on.database.spools = spools;
    CHECK(on.run() == doing::idle);
    std::ranges::move(on.database.kept, std::back_inserter(kept));
    std::vector<std::uint64_t> seqs;
    for (const auto& row : kept) seqs.push_back(row.seq);
    std::ranges::sort(seqs);
    std::vector<std::uint64_t> wanted(12);
    std::iota(wanted.begin(), wanted.end(), 1);
    wanted.push_back(100);
    CHECK(seqs == wanted);
    CHECK_FALSE(on.writer.has_backlog());
}

TEST_CASE("a full spool leaves blocks in memory, in their order", "[lane_writer_spool]") {
    spool_disk disk;
    disk.entries_max = 3;
    memory_spool spool(disk);
    writer_bench on(1, 4, &spool);
    lose_database(on);
    for (int i = 0; i < 8; ++i) on.push();
    CHECK(on.step() == doing::worked);
    on.now_us += second;
    CHECK(on.run() == doing::idle);
    CHECK(on.spooled.size() >= 3);
    CHECK(on.settled.size() >= 1);
    check_kept_once(on);
    CHECK(std::ranges::is_sorted(kept_in_order(on)));
}

TEST_CASE("a producer in the spool is told where to go on though the database is away",
          "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 1000, &spool);
    lose_database(on);
    on.push(5);
    CHECK(on.step() == doing::worked);
    on.now_us += second;
    CHECK(on.step() == doing::worked);
    CHECK(on.step() == doing::waiting);
    on.wants_committed = false;
    on.ask_watermark();
    CHECK(on.step() == doing::waiting);
    CHECK(on.answers == std::vector<std::uint64_t>{5});
    on.wants_committed = true;
    on.ask_watermark();
    CHECK(on.step() == doing::waiting);
    CHECK(on.answers.size() == 1);
    on.database.watermark_answer = 3;
    CHECK(on.run() == doing::idle);
    CHECK(on.answers == std::vector<std::uint64_t>{5, 3});
}

TEST_CASE("spooled rows of a producer that another daemon has taken become dead letters",
          "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 1000, &spool);
    lose_database(on);
    on.push(5);
    CHECK(on.step() == doing::worked);
    on.now_us += second;
    ingest::database_error moved = error_of("TK002");
    moved.subject = "feed-a";
    on.database.commit_script = {{commit_outcome::failed, moved}};
    on.database.watermark_answer = 3;
    CHECK(on.run() == doing::idle);
    using table = tickd::test::known_row::table;
    CHECK(on.kept_seqs(table::dead_letters) == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(on.kept_seqs(table::ticks) == std::vector<std::uint64_t>{4, 5});
    check_kept_once(on);
}

TEST_CASE("rescue puts what is in memory into the spool", "[lane_writer_spool]") {
    spool_disk disk;
    memory_spool spool(disk);
    writer_bench on(1, 4, &spool);
    lose_database(on);
    for (int i = 0; i < 5; ++i) on.push();
    CHECK(on.step() == doing::worked);
    on.writer.rescue();
    CHECK(on.spooled.size() == 5);
    CHECK(disk.synced == 5);
    CHECK_FALSE(on.writer.holds_rows_in_memory());
}

TEST_CASE("whatever step of the spool fails, each record is committed once",
          "[lane_writer_spool]") {
    for (int append = 0; append < 10; ++append) {
        for (int sync = 0; sync < 4; ++sync) {
            for (const std::string state : {"", "57P01", "40001", "42501"}) {
                CAPTURE(append, sync, state);
                spool_disk disk;
                memory_spool spool(disk);
                int appends = 0, syncs = 0;
                spool.append_fails = [&] { return ++appends == append; };
                spool.sync_fails = [&] { return ++syncs == sync; };
                writer_bench on(static_cast<std::uint64_t>(append), 4, &spool);
                lose_database(on, 8);
                on.database.spool_committed_script = {error_of(state)};
                on.database.pass_spool_script = {error_of(state)};
                on.database.commit_script = {{commit_outcome::failed, error_of(state)},
                                             {commit_outcome::in_doubt, {}, sync % 2 == 0}};
                for (int i = 0; i < 4; ++i) on.push();
                CHECK(on.step() == doing::worked);
                on.now_us += second;
                for (int i = 0; i < 4; ++i) on.push();
                CHECK(on.run() == doing::idle);
                on.push();
                CHECK(on.run() == doing::idle);
                check_kept_once(on);
                CHECK(std::ranges::is_sorted(kept_in_order(on)));
            }
        }
    }
}
