// Activity events in records and one tree: written by many lanes at once, and across kills.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <thread>
#include <vector>

#include "tests/support/activity_log.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd;
using namespace tickd::test;

namespace {

const std::string tenant_a = "00000000-0000-0000-0000-00000000000a";
const std::string tenant_b = "00000000-0000-0000-0000-00000000000b";

std::string event(int n, const std::string& more = {}) {
    return std::format(
        R"({{"type":"activity","action_type":"n","action_payload":{},"agent_id":"agent"{}}})"
        "\n",
        n, more);
}

// Lane and tenants, and small batches, so that there are many.
const std::string four_lanes = "lanes:\n  count: 4\nbatch:\n  rows_max: 200";
const std::string any_tenant = "  - address: 127.0.0.1:0\n    tenant_from_payload: true";

}  // namespace

TEST_CASE("four lanes write one gapless log", "[activity_batches]") {
    ingest_site site(four_lanes, any_tenant);
    constexpr int clients = 8;
    constexpr int each = 1'500;
    {
        std::vector<std::jthread> senders;
        for (int c = 0; c < clients; ++c) {
            senders.emplace_back([&site, c] {
                tcp_client client(site.address());
                const bool acked = c % 2 == 0;
                if (acked) {
                    client.send(
                        std::format(R"({{"type":"hello","producer":"feed {}%","ack":"committed"}})"
                                    "\n",
                                    c));
                }
                for (int n = 1; n <= each; ++n) {
                    std::string more = acked ? std::format(R"(,"seq":{})", n) : std::string();
                    if (n % 3 != 0) {
                        more += R"(,"tenant":")" + (n % 3 == 1 ? tenant_a : tenant_b) + '"';
                    }
                    client.send(event(n, more));
                }
                client.finish();
                static_cast<void>(client.read_to_end());
            });
        }
    }
    REQUIRE(site.await_records(clients * each));
    CHECK(wrong_with_activity_log(site.sql()).empty());
    CHECK(one(site.sql(), "SELECT count(*) FROM unified_activity_log") ==
          std::to_string(clients * each));
    CHECK(one(site.sql(),
              "SELECT count(DISTINCT tenant_id) || ' ' || count(DISTINCT substring("
              " convert_from(record, 'UTF8') FROM 'writer (lane-[0-3]) [0-9]+'))"
              " FROM tickd.activity_batch WHERE kind = 'seg'") == "2 4");
    // Each acked feed's ranges, in the order of the log, build on one another.
    CHECK(one(site.sql(), R"(
              WITH src AS (
                  SELECT index, m[1] AS feed, m[2]::bigint AS after, m[3]::bigint AS newest
                    FROM tickd.activity_batch,
                         regexp_matches(convert_from(record, 'UTF8'),
                                        E'src (\\S+) ([0-9]+) ([0-9]+)', 'g') AS m),
              distinct_src AS (SELECT feed, after, newest, min(index) AS index
                                 FROM src GROUP BY feed, after, newest)
              SELECT bool_and(after = before) || ' ' || count(DISTINCT feed) || ' ' || min(feed)
                     || ' ' || min(last)
                FROM (SELECT *, coalesce(lag(newest) OVER w, 0) AS before,
                             max(newest) OVER (PARTITION BY feed) AS last
                        FROM distinct_src WINDOW w AS (PARTITION BY feed ORDER BY index)) s)") ==
          std::format("true 4 feed%200%25 {}", each));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a killed daemon leaves a whole log", "[activity_batches]") {
    ingest_site site(four_lanes, any_tenant);
    for (int round = 0; round < 4; ++round) {
        const std::string before = one(site.sql(), "SELECT size FROM tickd.activity_head");
        std::vector<tcp_client> clients;
        for (int c = 0; c < 4; ++c) clients.emplace_back(site.address());
        for (int n = 0; n < 2'000; ++n) {
            clients[static_cast<std::size_t>(n % 4)].send(event(n));
        }
        // In the middle of commits: some are in, most are under way.
        await(site.sql(), "SELECT size > " + before + " FROM tickd.activity_head");
        site.daemon().kill_hard();
        site.start_again();
    }
    await(site.sql(),
          "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE"
          " 'tickd lane%' AND xact_start IS NOT NULL AND datname = current_database())");
    CHECK(wrong_with_activity_log(site.sql()).empty());
    CHECK(site.daemon().stop() == 0);
    CHECK(wrong_with_activity_log(site.sql()).empty());
}

TEST_CASE("the functions write the published records", "[activity_batches]") {
    pg_connection sql = connect(migrated_database(shared_cluster()));
    run(sql, "SET tickd.migration = 'on'");
    for (const std::string table : {"activity_batch", "activity_head"}) {
        run(sql, "ALTER TABLE tickd." + table + " DISABLE TRIGGER ALL");
    }
    run(sql, R"(
        UPDATE tickd.activity_batch SET record = r, entry = sha256(r)
          FROM (SELECT convert_to(E'ual-genesis/v1\norigin example.com/ual/test\nindex 0\nrow '
               'ual-row/v1\ntime 1767323045000000\nnonce 000102030405060708090a0b0c0d0e0f\n',
               'UTF8') AS r) AS known WHERE index = 0)");
    run(sql, R"(
        UPDATE tickd.activity_head SET origin = 'example.com/ual/test', frontier = f,
               root = tickd.activity_root(f)
          FROM (SELECT tickd.activity_frontier('{}', 0, entry) AS f
                  FROM tickd.activity_batch WHERE index = 0) AS grown)");
    const std::string root = "SELECT encode(root, 'hex') FROM tickd.activity_head";
    CHECK(one(sql, root) == "e91e92a78131b5095e3cea17ed101f0147af3f21c30918f79552bfbae343442c");
    run(sql, R"(
        SELECT tickd.append_activity_batches('w1', 1, 1767323045678902, ARRAY[NULL]::uuid[],
            '{1}', '{3}', '{48b47c98064f5bb2c08bad1e72828b8a99e7e90431295bdaaa99ed4a4d04d224}',
            ARRAY[E'src demo/0 0 3\n'], '{101112131415161718191a1b1c1d1e1f}'))");
    CHECK(one(sql, root) == "f240245f1e5693c16a37586c81542fcb95ce7dd78a122b371949e3bef36132b8");
    run(sql,
        "SELECT tickd.append_activity_note('heartbeat', NULL, 1767323105678902,"
        " '202122232425262728292a2b2c2d2e2f')");
    CHECK(one(sql, root) == "4270a9017af36b00f89ff84552586494a7229a9f08c1ea6d302816cd10776341");
    CHECK(one(sql,
              "SELECT string_agg(left(encode(entry, 'hex'), 8), ' ' ORDER BY index)"
              " FROM tickd.activity_batch") == "c40145eb d02396ec 2ea9a9bd");
    // Ids that are taken, and text that would be another line.
    const auto append = [&](const std::string& id, const std::string& sources) {
        return sqlstate_of(sql, "SELECT tickd.append_activity_batches('w1', 1, 1, '{NULL}', '{" +
                                    id + "}', '{3}', ARRAY[repeat('a', 64)], ARRAY[E'" + sources +
                                    "'], ARRAY[repeat('b', 32)])");
    };
    CHECK(append("3", "") == "23P01");
    CHECK(append("4", "src a 1 2") == "22023");
    CHECK(append("4", "src a 1 2\\nwriter x 1\\n") == "22023");
    CHECK(append("4", "src a 1 2\\n").empty());
}
