// The functions of sql/migrations/0004_activity_log.sql: row bytes, hashes, blocks of ids.
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

const std::string& database() {
    static const std::string conninfo = migrated_database(shared_cluster());
    return conninfo;
}

// The rows that tests/vectors/activity_rows.py computed.
std::vector<std::vector<std::string>> vectors() {
    std::ifstream file(TICKD_SOURCE_DIR "/tests/vectors/activity_rows.tsv");
    std::vector<std::vector<std::string>> all;
    std::string line;
    while (std::getline(file, line)) {
        std::vector<std::string> cells;
        std::size_t begin = 0;
        for (;;) {
            const std::size_t end = line.find('\t', begin);
            cells.push_back(line.substr(begin, end - begin));
            if (end == std::string::npos) break;
            begin = end + 1;
        }
        all.push_back(std::move(cells));
    }
    return all;
}

pg_parameter cell(const std::string& text) {
    return text == "\\N" ? pg_parameter() : pg_parameter(text);
}

// An instant from microseconds since 1970. Whole seconds apart: interval arithmetic goes through a
// double, which would not hold all of them in one.
std::string instant(const std::string& us) {
    return "'epoch'::timestamptz + " + us + "::bigint / 1000000 * interval '1 second' + " + us +
           "::bigint % 1000000 * interval '1 microsecond'";
}

// The arguments of the row functions, from a vector's ten columns.
const std::string arguments = "$1::bigint, " + instant("$2") +
                              ", $3, $4, $5::jsonb, $6::uuid, $7::uuid, $8::jsonb, " +
                              instant("$9") + ", $10::uuid";

}  // namespace

TEST_CASE("row bytes and hashes are those of the independent vectors") {
    pg_connection connection = connect(database());
    const auto all = vectors();
    REQUIRE(all.size() >= 9);
    for (const auto& row : all) {
        REQUIRE(row.size() == 12);
        INFO(row[0] << ' ' << row[3]);
        // Two parts: a bigint times an interval goes through a double, exact below 2^53.
        const text_rows computed = rows(
            connection,
            "SELECT encode(tickd.activity_row_bytes(" + arguments + "), 'hex'), " +
                "tickd.activity_row_hash(" + arguments + "), $5::jsonb::text = $11",
            {cell(row[0]), cell(row[1]), cell(row[2]), cell(row[3]), cell(row[4]), cell(row[5]),
             cell(row[6]), cell(row[7]), cell(row[8]), cell(row[9]), cell(row[4])});
        CHECK(computed[0][0] == row[10]);
        CHECK(computed[0][1] == row[11]);
        CHECK(computed[0][2] == "t");  // the vector is in the server's own form
    }
}

TEST_CASE("a stored row hashes alike under any setting of the session") {
    pg_connection connection = connect(database());
    for (const auto& row : vectors()) {
        if (row[0] != "5" && row[0] != "4") continue;
        run(connection, "BEGIN");
        (void)rows(
            connection,
            "INSERT INTO unified_activity_log (id, timestamp, agent_id, action_type,"
            " action_payload, user_id, session_id, metadata, created_at, tenant_id,"
            " hash_sha256) VALUES (" +
                arguments + ", $11)",
            {cell(row[0]), cell(row[1]), cell(row[2]), cell(row[3]), cell(row[4]), cell(row[5]),
             cell(row[6]), cell(row[7]), cell(row[8]), cell(row[9]), cell(row[11])});
        for (const std::string setting :
             {"client_encoding = 'UTF8'", "client_encoding = 'LATIN1'", "TimeZone = 'Asia/Tokyo'",
              "DateStyle = 'German'", "bytea_output = 'escape'", "search_path = ''",
              "IntervalStyle = 'iso_8601'"}) {
            INFO(row[0] << ' ' << setting);
            run(connection, "SET LOCAL " + setting);
            CHECK(one(connection,
                      "SELECT count(*) FROM public.unified_activity_log l"
                      " WHERE hash_sha256 = tickd.activity_row_hash(l)") == "1");
        }
        run(connection, "ROLLBACK");
    }
}

TEST_CASE("any change of a field changes the hash") {
    pg_connection connection = connect(database());
    run(connection, "CREATE TEMPORARY TABLE row_under_test (LIKE public.unified_activity_log)");
    run(connection,
        "INSERT INTO row_under_test VALUES (1, '2024-01-01Z', 'a', 'b', '{\"n\": 1.0}',"
        " gen_random_uuid(), gen_random_uuid(), '{}', '', '2024-01-01Z',"
        " gen_random_uuid())");
    const std::string hash =
        "SELECT tickd.activity_row_hash(id, timestamp, agent_id, action_type, action_payload,"
        " user_id, session_id, metadata, created_at, tenant_id) FROM row_under_test";
    const std::string before = one(connection, hash);
    for (const std::string change :
         {"id = 2", "timestamp = timestamp + interval '1 microsecond'", "agent_id = NULL",
          "agent_id = ''", "action_type = 'b '", "action_payload = '{\"n\": 1.00}'",
          "action_payload = 'null'", "user_id = NULL", "session_id = user_id", "metadata = NULL",
          "metadata = 'null'", "created_at = created_at - interval '1 microsecond'",
          "tenant_id = NULL", "tenant_id = user_id"}) {
        INFO(change);
        run(connection, "BEGIN");
        run(connection, "UPDATE row_under_test SET " + change);
        CHECK(one(connection, hash) != before);
        run(connection, "ROLLBACK");
    }
    CHECK(one(connection, hash) == before);
}

TEST_CASE("eight connections never get the same id") {
    constexpr int connections = 8;
    constexpr int calls = 200;
    std::mutex lock;
    std::map<long long, long long> blocks;  // first id to count
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> writers;
        for (int w = 0; w < connections; ++w) {
            writers.emplace_back([&, w] {
                try {
                    pg_connection ingest = connect(as_user(database(), "tickd_ingest"));
                    std::mt19937 random(static_cast<unsigned>(w));
                    for (int i = 0; i < calls; ++i) {
                        const long long count = 1 + static_cast<long long>(random() % 1000);
                        const std::string first =
                            one(ingest, "SELECT tickd.reserve_activity_ids($1)",
                                {std::to_string(count)});
                        const std::scoped_lock held(lock);
                        if (!blocks.emplace(std::stoll(first), count).second) failed += 1;
                    }
                } catch (const std::exception&) {
                    failed += 1;
                }
            });
        }
    }
    CHECK(failed == 0);
    REQUIRE(blocks.size() == connections * calls);
    long long end = 0;
    int overlaps = 0;
    for (const auto& [first, count] : blocks) {
        if (first < end) ++overlaps;
        end = first + count;
    }
    CHECK(overlaps == 0);
}

TEST_CASE("ids are reserved one to a million at a time, and go on after the last") {
    pg_connection ingest = connect(as_user(database(), "tickd_ingest"));
    const long long first = std::stoll(one(ingest, "SELECT tickd.reserve_activity_ids(1000000)"));
    CHECK(std::stoll(one(ingest, "SELECT tickd.reserve_activity_ids(1)")) == first + 1'000'000);
    CHECK(std::stoll(one(ingest, "SELECT tickd.reserve_activity_ids(1)")) == first + 1'000'001);
    CHECK(sqlstate_of(ingest, "SELECT tickd.reserve_activity_ids(0)") == "22023");
    CHECK(sqlstate_of(ingest, "SELECT tickd.reserve_activity_ids(-1)") == "22023");
    CHECK(sqlstate_of(ingest, "SELECT tickd.reserve_activity_ids(1000001)") == "22023");
}

TEST_CASE("no crash of the server gives an id out again") {
    private_cluster cluster;
    const std::string conninfo = migrated_database(cluster);
    long long highest = 0;
    for (int round = 0; round < 3; ++round) {
        {
            pg_connection ingest = connect(as_user(conninfo, "tickd_ingest"));
            for (int i = 0; i < 5; ++i) {
                const long long first =
                    std::stoll(one(ingest, "SELECT tickd.reserve_activity_ids(100)"));
                CHECK(first > highest);
                highest = first + 99;
            }
            cluster.kill_hard();
        }
        cluster.start();
    }
}
