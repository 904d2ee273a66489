// tick_aggregate, tick_candles and tick_latest against the same over rows.
#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <format>
#include <random>

#include "ingest/timestamp.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/random_ticks.h"
#include "tests/support/tcp_client.h"

using namespace tickd;
using namespace tickd::test;

namespace {

constexpr const char* any_tenant = "  - address: 127.0.0.1:0\n    tenant_from_payload: true";
constexpr std::int64_t begin_us = 1'704'063'600'000'000;  // 2023-12-31T23:00:00Z

constexpr const char* aggregate_of_rows =
    "SELECT count(*), min(time), max(time), (array_agg(mid ORDER BY time, mid))[1],"
    " (array_agg(mid ORDER BY time DESC, mid DESC))[1], min(bid), max(bid), sum(bid), avg(bid),"
    " min(ask), max(ask), sum(ask), avg(ask), min(mid), max(mid), sum(mid), avg(mid),"
    " count(volume), sum(volume) FROM price_telemetry"
    " WHERE symbol = '{0}' AND time >= '{1}' AND time < '{2}'";
constexpr const char* candles_of_rows =
    "SELECT date_bin('{3}', time, '2000-01-03 00:00+00') AS t,"
    " (array_agg(mid ORDER BY time, mid))[1], max(mid), min(mid),"
    " (array_agg(mid ORDER BY time DESC, mid DESC))[1], min(time), max(time), count(*),"
    " sum(volume), sum(volume * mid) FROM price_telemetry"
    " WHERE symbol = '{0}' AND time >= '{1}' AND time < '{2}' GROUP BY t ORDER BY t";

struct queried_site {
    ingest_site site{"segments:\n  compact: false\n", any_tenant};
    random_ticks ticks{5, {.symbols = 4, .begin_us = begin_us, .step_us_max = 400'000}};
    std::size_t sent = 0;

    void send(int count) {
        tcp_client client(site.address());
        client.send(ticks.lines(count));
        client.finish();
        static_cast<void>(client.read_to_end());
        sent += static_cast<std::size_t>(count);
        REQUIRE(site.await_records(sent));
    }
    // Starts again with a compactor, waits until it has nothing to do, and again without.
    void compact() {
        REQUIRE(site.daemon().stop() == 0);
        {
            std::string yaml = site.yaml();
            yaml.replace(yaml.find("compact: false"), 14, "compact: true ");
            daemon_process with(yaml);
            REQUIRE(with.ready());
            await(site.sql(), "SELECT count(*) = 0 FROM price_segment WHERE level = 0");
            REQUIRE(with.stop() == 0);
        }
        site.start_again();
    }
};

// Both agree on random ranges, as whoever is connected.
void compare(pg_connection& as, std::uint64_t seed, int ranges) {
    std::mt19937_64 random(seed);
    const std::int64_t span_us =
        std::stoll(one(as,
                       "SELECT coalesce((extract(epoch FROM max(time)) * 1000000)::bigint, 0)"
                       " FROM price_telemetry")) -
        begin_us + 4'000'000'000;
    for (int i = 0; i < ranges; ++i) {
        const auto point = [&] {
            std::int64_t at =
                begin_us - 3'700'000'000 +
                static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span_us));
            // Bounds that fall on ticks, on minutes and on midnight.
            if (random() % 3 == 0) at -= at % 1'000'000;
            if (random() % 5 == 0) at -= at % 60'000'000;
            if (random() % 20 == 0) at = 1'704'067'200'000'000;
            return at;
        };
        std::int64_t from = point(), to = point();
        if (from > to && random() % 10 != 0) std::swap(from, to);
        if (random() % 3 == 0) to = from + static_cast<std::int64_t>(random() % 60'000'000);
        const std::string symbol = std::format("S{}", random() % 5);  // S4 does not exist
        const std::string begin = ingest::to_rfc3339(from), end = ingest::to_rfc3339(to);
        INFO("seed " << seed << ", " << symbol << " from " << begin << " to " << end);
        REQUIRE(
            rows(as, std::format("SELECT * FROM tick_aggregate('{}', '{}', '{}')", symbol, begin,
                                 end)) ==
            rows(as, std::vformat(aggregate_of_rows, std::make_format_args(symbol, begin, end))));
        constexpr const char* buckets[] = {"1 minute", "5 minutes", "1 hour", "1 day", "1 week"};
        const std::string bucket = buckets[random() % 5];
        INFO(bucket);
        REQUIRE(rows(as, std::format("SELECT * FROM tick_candles('{}', '{}', '{}', '{}')", symbol,
                                     begin, end, bucket)) ==
                rows(as, std::vformat(candles_of_rows,
                                      std::make_format_args(symbol, begin, end, bucket))));
    }
}

void compare_latest(pg_connection& as) {
    for (const char* symbol : {"S0", "S1", "S2", "S3", "S4"}) {
        CHECK(rows(as, std::format("SELECT * FROM tick_latest('{}')", symbol)) ==
              rows(as, std::format("SELECT * FROM price_telemetry WHERE symbol = '{}' ORDER BY"
                                   " time DESC, mid DESC, bid DESC, ask DESC LIMIT 1",
                                   symbol)));
    }
}

}  // namespace

TEST_CASE(
    "aggregates, candles and latest prices are those of the rows, however far the compactor is") {
    queried_site at;
    const int ranges = std::getenv("TICKD_TEST_LONG") != nullptr ? 2'000 : 100;
    run(at.site.sql(),
        "INSERT INTO tenants (tenant_id, name) VALUES"
        " ('00000000-0000-0000-0000-000000000001', 'one'),"
        " ('00000000-0000-0000-0000-000000000002', 'two')");
    const std::string role = "reader_of_one_" + one(at.site.sql(), "SELECT pg_backend_pid()");
    run(at.site.sql(), std::format("CREATE ROLE {0} LOGIN IN ROLE tickd_reader;"
                                   "INSERT INTO tenant_roles (role_name, tenant_id) VALUES"
                                   " ('{0}', '00000000-0000-0000-0000-000000000001')",
                                   role));
    pg_connection tenant =
        connect(std::format("host={} dbname={} user={}", at.site.sql().host(),
                            one(at.site.sql(), "SELECT current_database()"), role));

    at.send(6'000);  // all fresh
    compare(at.site.sql(), 11, ranges);
    compare(tenant, 12, ranges);
    compare_latest(tenant);
    at.compact();  // all folded
    CHECK(one(at.site.sql(), "SELECT count(*) > 0 FROM price_candle_1m") == "t");
    compare(at.site.sql(), 13, ranges);
    compare(tenant, 14, ranges);
    compare_latest(tenant);
    at.send(3'000);  // some of each, and late ones among what is folded
    for (int i = 0; i < 20; ++i) at.send(20);
    compare(at.site.sql(), 15, ranges);
    compare(tenant, 16, ranges);
    compare_latest(tenant);
    compare_latest(at.site.sql());
    CHECK(at.site.daemon().stop() == 0);
}

// Of a symbol that has segments of its own, what was packed together with the others beside it says
// nothing: were its rows counted for as long as theirs reach, a day of it would take seconds.
TEST_CASE("a mixed segment costs the queries of those symbols that are in it, and no others") {
    ingest_site site("segments:\n  compact: false\n");
    std::size_t sent = 0;
    const auto tick = [&](std::string_view symbol, int second) {
        ++sent;
        return std::format(R"({{"symbol":"{}","time":"{}","bid":1,"ask":2}})"
                           "\n",
                           symbol, ingest::to_rfc3339(begin_us + second * 1'000'000LL));
    };
    const auto send = [&](const std::string& lines) {
        tcp_client client(site.address());
        client.send(lines);
        client.finish();
        static_cast<void>(client.read_to_end());
        REQUIRE(site.await_records(sent));
    };
    std::string dense, others;
    for (int second = 0; second < 300; ++second) {
        dense += tick("DENSE", second);
    }
    send(dense);
    // In segments of its own, whatever batches it came in.
    const temporary_folder folder;
    const std::string conninfo = std::format("host={} dbname={} user=postgres", site.sql().host(),
                                             one(site.sql(), "SELECT current_database()"));
    REQUIRE(run_tickd({"--config", folder.write("tickd.yaml", daemon_yaml(conninfo)), "db",
                       "rebuild-segments"})
                .exit_code == 0);
    REQUIRE(one(site.sql(), "SELECT count(*) FROM price_segment WHERE symbol IS NULL") == "0");
    for (int second = 10; second < 300; second += 50) {
        others += tick("SPARSE", second) + tick("SELDOM", second + 1);
    }
    send(others);  // some hundred bytes: one read, one block
    REQUIRE(one(site.sql(), "SELECT count(*) > 0 FROM price_segment WHERE symbol IS NULL") == "t");
    const auto uneven = [&](const char* symbol) {
        return one(site.sql(),
                   std::format("SELECT isempty(tickd.uneven_times('{}', '2023-12-31 22:00+00',"
                               " '2024-01-01 01:00+00'))",
                               symbol));
    };
    CHECK(uneven("DENSE") == "t");
    CHECK(uneven("SPARSE") == "f");
    CHECK(uneven("SELDOM") == "f");
    CHECK(uneven("SPARS") == "t");
    CHECK(uneven("PARSE") == "t");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a bucket that is no multiple of a minute is refused") {
    ingest_site site;
    for (const char* bucket : {"30 seconds", "90 seconds", "1 month", "0 minutes", "-1 minute"}) {
        CHECK(sqlstate_of(site.sql(),
                          std::format("SELECT * FROM tick_candles('S', 'epoch', 'now', '{}')",
                                      bucket)) == "22023");
    }
    CHECK(rows(site.sql(), "SELECT * FROM tick_candles('S', 'now', 'epoch')") == text_rows{});
    CHECK(site.daemon().stop() == 0);
}
