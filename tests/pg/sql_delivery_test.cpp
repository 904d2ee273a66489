// The functions of 0007_delivery.sql: lanes, ledger, producers, as the daemon's role.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <future>
#include <thread>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct fixture {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);
    pg_connection ingest = connect(as_user(conninfo, "tickd_ingest"));
};

// A batch of one producer `feed`.
std::string settle(int lane, const std::string& epoch, int batch_no, long expected, long newest,
                   const std::string& producer = "feed") {
    return std::format(
        "SELECT tickd.settle_batch({}, {}, {}, 10, 2, 1, ARRAY['{}'],"
        " ARRAY[NULL]::uuid[], ARRAY[{}]::bigint[], ARRAY[{}]::bigint[],"
        " ARRAY[13]::bigint[], ARRAY[12]::bigint[], ARRAY[0]::bigint[],"
        " ARRAY[1]::bigint[])",
        lane, epoch, batch_no, producer, expected, newest);
}

std::string take(pg_connection& connection, int lane, const std::string& holder,
                 const std::string& held = "0") {
    return one(connection, std::format("SELECT tickd.take_lane({}, '{}', {})", lane, holder, held));
}

}  // namespace

TEST_CASE_METHOD(fixture, "each take-over gives the next epoch") {
    CHECK(one(ingest, "SELECT tickd.take_lane(3, 'host/1')") == "1");
    CHECK(take(ingest, 3, "host/1", "1") == "2");
    CHECK(take(ingest, 4, "host/1") == "1");
    CHECK(one(root, "SELECT epoch || ' ' || holder FROM tickd.lane WHERE lane = 3") == "2 host/1");
    // A restored backup must not give an epoch out twice.
    CHECK(take(ingest, 3, "host/1", "41") == "42");
}

TEST_CASE_METHOD(fixture, "the newer holder wins once, and the older does not come back") {
    const std::string old_epoch = take(ingest, 0, "old/1");
    pg_connection other = connect(as_user(conninfo, "tickd_ingest"));
    const std::string new_epoch = take(other, 0, "new/1");
    CHECK(new_epoch == "2");

    CHECK(sqlstate_of(ingest, "SELECT tickd.check_lane(0, 'old/1', " + old_epoch + ")") == "TK001");
    CHECK(sqlstate_of(ingest, "SELECT tickd.take_lane(0, 'old/1', " + old_epoch + ")") == "TK001");
    CHECK(sqlstate_of(ingest, "SELECT tickd.fence(0, " + old_epoch + ")") == "TK001");
    CHECK(sqlstate_of(ingest, settle(0, old_epoch, 1, 0, 5)) == "TK001");
    CHECK(one(root, "SELECT count(*) FROM tickd.batch_ledger") == "0");

    CHECK(sqlstate_of(other, "SELECT tickd.check_lane(0, 'new/1', " + new_epoch + ")").empty());
    CHECK(sqlstate_of(other, settle(0, new_epoch, 1, 0, 5)).empty());
    // A take-over whose answer was lost: the holder knows an older epoch than its own.
    CHECK(take(other, 0, "new/1", "1") == "3");
    // Nobody has a lane that nobody took.
    CHECK(sqlstate_of(other, "SELECT tickd.fence(9, 1)") == "TK001");
}

TEST_CASE_METHOD(fixture, "a settled batch is in the ledger once, and moves its producer") {
    const std::string epoch = take(ingest, 0, "host/1");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('feed')") == "0");
    CHECK(one(ingest, "SELECT tickd.batch_committed(0, 1, 1)") == "f");

    run(ingest, settle(0, epoch, 1, 0, 100));
    CHECK(one(ingest, "SELECT tickd.batch_committed(0, 1, 1)") == "t");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('feed')") == "100");
    CHECK(sqlstate_of(ingest, settle(0, epoch, 1, 100, 200)) == "23505");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('feed')") == "100");

    run(ingest, settle(0, epoch, 2, 100, 130));
    CHECK(rows(root,
               "SELECT watermark, received, committed, duplicates, dead_lettered, tenant_id,"
               " last_seen >= first_seen FROM tickd.producer") ==
          text_rows{{"130", "26", "24", "0", "2", "\\N", "t"}});
    CHECK(rows(root,
               "SELECT lane, epoch, batch_no, ticks, events, dead_letters"
               " FROM tickd.batch_ledger ORDER BY batch_no") ==
          text_rows{{"0", "1", "1", "10", "2", "1"}, {"0", "1", "2", "10", "2", "1"}});
}

TEST_CASE_METHOD(fixture, "a rolled-back batch leaves no trace") {
    const std::string epoch = take(ingest, 0, "host/1");
    run(ingest, "BEGIN");
    run(ingest, settle(0, epoch, 1, 0, 100));
    run(ingest, "ROLLBACK");
    CHECK(one(ingest, "SELECT tickd.batch_committed(0, 1, 1)") == "f");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('feed')") == "0");
}

TEST_CASE_METHOD(fixture, "a watermark that somebody else moved stops the batch") {
    const std::string epoch = take(ingest, 0, "host/1");
    run(ingest, settle(0, epoch, 1, 0, 100));
    const auto refused = ingest.exec(settle(0, epoch, 2, 50, 150));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().sqlstate == "TK002");
    CHECK(refused.error().detail == "feed");
    CHECK(sqlstate_of(ingest, settle(0, epoch, 2, 7, 150, "unknown")) == "TK002");
    CHECK(one(root, "SELECT count(*) FROM tickd.producer WHERE producer = 'unknown'") == "0");
    // Builds on it, and only grows.
    CHECK(sqlstate_of(ingest, settle(0, epoch, 2, 100, 90)).empty());
    CHECK(one(ingest, "SELECT tickd.producer_watermark('feed')") == "100");
}

TEST_CASE_METHOD(fixture, "a batch without producers settles, arrays that differ do not") {
    const std::string epoch = take(ingest, 0, "host/1");
    const auto call = [&](int batch, const std::string& names, const std::string& received) {
        return std::format(
            "SELECT tickd.settle_batch(0, {}, {}, 1, 0, 0, {}::text[], '{{}}', '{{}}',"
            " '{{}}', {}::bigint[], '{{}}', '{{}}', '{{}}')",
            epoch, batch, names, received);
    };
    CHECK(sqlstate_of(ingest, call(1, "'{}'", "'{}'")).empty());
    CHECK(sqlstate_of(ingest, call(2, "'{}'", "'{1}'")) == "2202E");
    CHECK(sqlstate_of(ingest, call(2, "'{a}'", "'{1}'")) == "2202E");
    CHECK(sqlstate_of(ingest, call(2, "NULL", "'{}'")) == "2202E");
}

TEST_CASE_METHOD(fixture, "a take-over waits for a commit on its way, and then sees it") {
    const std::string epoch = take(ingest, 0, "old/1");
    run(ingest, "BEGIN");
    run(ingest, settle(0, epoch, 1, 0, 100));

    pg_connection other = connect(as_user(conninfo, "tickd_ingest"));
    const std::string pid = one(other, "SELECT pg_backend_pid()");
    auto taken = std::async(std::launch::async, [&] { return take(other, 0, "new/1"); });
    await(root, "SELECT cardinality(pg_blocking_pids(" + pid + ")) > 0");
    run(ingest, "COMMIT");
    CHECK(taken.get() == "2");
    CHECK(one(other, "SELECT tickd.batch_committed(0, 1, 1)") == "t");
}

TEST_CASE_METHOD(fixture, "a commit that comes after a take-over fails") {
    const std::string epoch = take(ingest, 0, "old/1");
    run(ingest, "BEGIN");
    CHECK(copy_sqlstate(ingest, "COPY price_telemetry (time, symbol, bid, ask) FROM STDIN",
                        "2024-01-01 00:00:00Z\tLATE\t1\t2\n")
              .empty());
    pg_connection other = connect(as_user(conninfo, "tickd_ingest"));
    CHECK(take(other, 0, "new/1") == "2");
    CHECK(sqlstate_of(ingest, settle(0, epoch, 1, 0, 100)) == "TK001");
    run(ingest, "COMMIT");  // a rollback by now
    CHECK(one(root, "SELECT count(*) FROM price_telemetry") == "0");
    CHECK(one(other, "SELECT tickd.batch_committed(0, 1, 1)") == "f");
}

TEST_CASE_METHOD(fixture, "clearing a lane ends its holder's session and no other") {
    const std::string epoch = take(ingest, 7, "old/1");
    pg_connection neighbour = connect(as_user(conninfo, "tickd_ingest"));
    (void)take(neighbour, 8, "old/1");
    run(ingest, "BEGIN");
    run(ingest, settle(7, epoch, 1, 0, 100));

    pg_connection other = connect(as_user(conninfo, "tickd_ingest"));
    CHECK(one(other, "SELECT tickd.clear_lane(7)") == "1");
    CHECK(take(other, 7, "new/1") == "2");  // does not wait for the idle transaction
    CHECK(one(other, "SELECT tickd.batch_committed(7, 1, 1)") == "f");
    const auto dead = ingest.exec("COMMIT");
    REQUIRE_FALSE(dead.has_value());
    CHECK(dead.error().connection_lost);
    CHECK(sqlstate_of(neighbour, "SELECT 1").empty());
    CHECK(one(other, "SELECT tickd.clear_lane(7)") == "0");  // never itself
}

TEST_CASE_METHOD(fixture, "the ledger is pruned by age, but for each lane's newest row") {
    for (const int lane : {0, 1}) {
        const std::string epoch = take(ingest, lane, "host/1");
        for (const int batch : {1, 2, 3}) {
            run(ingest, settle(lane, epoch, batch, (batch - 1) * 10, batch * 10,
                               "feed" + std::to_string(lane)));
        }
    }
    CHECK(one(ingest, "SELECT tickd.prune_ledger('1 hour')") == "0");
    run(root,
        "UPDATE tickd.batch_ledger SET committed_at = now() - interval '3 hours'"
        " WHERE lane = 0 OR batch_no = 1");
    CHECK(one(ingest, "SELECT tickd.prune_ledger('2 hours')") == "3");
    CHECK(rows(root, "SELECT lane, batch_no FROM tickd.batch_ledger ORDER BY 1, 2") ==
          text_rows{{"0", "3"}, {"1", "2"}, {"1", "3"}});
    CHECK(sqlstate_of(ingest, "SELECT tickd.prune_ledger('59 minutes')") == "22023");
}
