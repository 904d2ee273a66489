// `tickd db seed` against a real server: what is in the tables afterwards.
#include <catch2/catch_test_macros.hpp>

#include "daemon/db/seed.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

constexpr std::int64_t until_us = 1'725'000'000'000'000;  // 2024-08-30T06:40:00Z

seed_options options(std::uint64_t ticks, std::uint32_t tenants, std::uint64_t seed = 1) {
    return {.ticks = ticks, .tenants = tenants, .seed = seed, .until_us = until_us};
}

seed_counts write(pg_connection& connection, const seed_options& wanted) {
    const auto written = write_seed(connection, wanted, [](std::uint64_t) {});
    if (!written) throw std::runtime_error(to_text(written.error()));
    return *written;
}

// One text for all rows of the table.
std::string digest(pg_connection& connection, const std::string& columns, const std::string& from) {
    return one(connection, "SELECT md5(string_agg(md5(row(" + columns +
                               ")::text), '' ORDER BY row(" + columns + ")::text)) FROM " + from);
}

}  // namespace

TEST_CASE("the seed is whole, plausible and verifies") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    std::uint64_t heard = 0;
    bool ascending = true;
    const auto written = write_seed(connection, options(60'000, 3), [&](std::uint64_t rows) {
        ascending = ascending && rows > heard;
        heard = rows;
    });
    REQUIRE(written.has_value());
    CHECK(ascending);
    CHECK(heard >= 60'000);
    CHECK(written->ticks == 60'000);
    CHECK(written->events == 3'000);
    CHECK(written->tenants == 3);
    CHECK(written->portfolios == 9);

    const auto answer = [&](const std::string& sql) { return one(connection, "SELECT " + sql); };
    CHECK(answer("count(*) FROM price_telemetry") == "60000");
    CHECK(answer("count(*) FROM unified_activity_log") == "3000");
    CHECK(answer("count(*) FROM tenants") == "3");
    CHECK(answer("count(*) FROM portfolio_positions") == std::to_string(written->positions));
    CHECK(std::stoi(answer("min(n) FROM (SELECT count(*) n FROM portfolio_positions"
                           " GROUP BY portfolio_id) AS sizes")) >= 6);
    CHECK(answer("count(DISTINCT symbol) >= 36 FROM price_telemetry") == "t");
    CHECK(answer("bool_and(bid < ask AND bid > 0 AND mid = round((bid + ask) / 2, 8)"
                 " AND volume > 0) FROM price_telemetry") == "t");
    CHECK(answer("max(time) <= to_timestamp(1725000000) AND min(time) >= to_timestamp(1725000000)"
                 " - interval '5 days' AND max(time) - min(time) > interval '4 days 23 hours'"
                 " FROM price_telemetry") == "t");
    CHECK(answer("count(DISTINCT tenant_id) FROM price_telemetry") == "3");
    CHECK(answer("count(tenant_id) BETWEEN 1200 AND 2500 FROM price_telemetry") == "t");
    CHECK(answer("count(*) FROM unified_activity_log l"
                 " WHERE hash_sha256 <> tickd.activity_row_hash(l)") == "0");
    CHECK(answer("max(id) - min(id) + 1 = count(*) FROM unified_activity_log") == "t");
    // Positions can be valued: every symbol has a price.
    CHECK(answer("count(*) FROM portfolio_positions p WHERE NOT EXISTS"
                 " (SELECT FROM price_telemetry t WHERE t.symbol = p.symbol)") == "0");
    CHECK(answer("count(*) FROM pg_class WHERE relname = 'seed_event'") == "0");
}

TEST_CASE("the same seed gives the same data, another seed does not") {
    std::vector<std::string> ticks, events, positions;
    for (const std::uint64_t seed : {5U, 5U, 6U}) {
        pg_connection connection = connect(migrated_database(shared_cluster()));
        (void)write(connection, options(5'000, 2, seed));
        ticks.push_back(digest(connection,
                               "time, symbol, bid, ask, mid, volume, source, metadata,"
                               " tenant_id",
                               "price_telemetry"));
        events.push_back(digest(connection,
                                "timestamp, agent_id, action_type, action_payload,"
                                " session_id, metadata, created_at, tenant_id",
                                "unified_activity_log"));
        positions.push_back(digest(connection,
                                   "portfolio_id, tenant_id, symbol, quantity,"
                                   " average_price",
                                   "portfolio_positions"));
    }
    for (const auto& digests : {ticks, events, positions}) {
        CHECK(digests[0] == digests[1]);
        CHECK(digests[0] != digests[2]);
    }
}

TEST_CASE("seeding twice is refused and changes nothing, another seed adds") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    (void)write(connection, options(1'000, 2));
    const auto again = write_seed(connection, options(1'000, 2), [](std::uint64_t) {});
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().sqlstate == "23505");
    CHECK(one(connection, "SELECT count(*) FROM price_telemetry") == "1000");

    (void)write(connection, options(500, 2, 9));
    CHECK(one(connection, "SELECT count(*) FROM price_telemetry") == "1500");
    CHECK(one(connection, "SELECT count(*) FROM tenants") == "4");
    CHECK(one(connection, "SELECT count(*) FROM unified_activity_log") == "75");
}

TEST_CASE("the seed may be empty in any part") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    CHECK(write(connection, options(0, 0)).ticks == 0);
    CHECK(write(connection, options(0, 1)).portfolios == 3);
    CHECK(write(connection, options(1, 0)).ticks == 1);
    CHECK(write(connection, options(20, 0)).events == 1);
    CHECK(one(connection, "SELECT count(*) FROM price_telemetry WHERE tenant_id IS NULL") == "21");
}

TEST_CASE("a failure in the middle leaves nothing") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    run(connection, "SET tickd.migration = 'on'");  // past the log's event triggers
    run(connection, "ALTER TABLE unified_activity_log ADD CHECK (action_type <> 'rebalance')");
    const auto refused = write_seed(connection, options(2'000, 2), [](std::uint64_t) {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().sqlstate == "23514");
    CHECK(one(connection,
              "SELECT (SELECT count(*) FROM tenants) + (SELECT count(*)"
              " FROM price_telemetry) + (SELECT count(*) FROM unified_activity_log)") == "0");
    CHECK_FALSE(connection.in_transaction());
}

TEST_CASE("a database that was not migrated is refused") {
    pg_connection connection = connect(fresh_database(shared_cluster()));
    const auto refused = write_seed(connection, options(10, 1), [](std::uint64_t) {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().sqlstate == "42P01");
}
