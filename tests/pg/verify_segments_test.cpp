// `tickd verify segments` names each way in which segments, candles and rows can differ, and
// `tickd db rebuild-segments` mends it. And what `tickd db retain` drops.
#include <catch2/catch_test_macros.hpp>

#include <format>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/random_ticks.h"
#include "tests/support/segment_check.h"
#include "tests/support/tcp_client.h"

using namespace tickd;
using namespace tickd::test;

namespace {

using faults = std::vector<std::string>;
constexpr const char* any_tenant = "  - address: 127.0.0.1:0\n    tenant_from_payload: true";
constexpr std::int64_t begin_us = 1'704'063'600'000'000;  // 2023-12-31T23:00:00Z

struct verified_site {
    temporary_folder folder;
    ingest_site site{"", any_tenant};
    std::string conninfo;
    std::string config;

    verified_site() {
        random_ticks ticks(8, {.symbols = 3, .begin_us = begin_us, .step_us_max = 1'000'000});
        tcp_client client(site.address());
        client.send(ticks.lines(12'000));
        client.finish();
        static_cast<void>(client.read_to_end());
        REQUIRE(site.await_records(12'000));
        await(site.sql(), "SELECT count(*) = 0 FROM price_segment WHERE level = 0");
        REQUIRE(site.daemon().stop() == 0);
        conninfo = std::format("host={} dbname={} user=postgres", site.sql().host(),
                               one(site.sql(), "SELECT current_database()"));
        config = folder.write("tickd.yaml", daemon_yaml(conninfo));
    }
    ended_process tickd(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--config", config});
        return run_tickd(arguments);
    }
};

}  // namespace

TEST_CASE("what differs between rows, segments and candles is named, and made anew from the rows") {
    verified_site at;
    CHECK(at.tickd({"verify", "segments"}).exit_code == 0);
    const auto changed = [&](const std::string& change, const std::string& fault) {
        run(at.site.sql(), change);
        const faults found = segment_faults(at.conninfo);
        INFO(change);
        REQUIRE_FALSE(found.empty());
        INFO(found[0]);
        CHECK(found[0].starts_with(fault));
        const ended_process said = at.tickd({"verify", "segments", "--json"});
        CHECK(said.exit_code == 1);
        CHECK(said.out.contains("\"fault\":\"" + fault + "\""));
        const ended_process rebuilt = at.tickd({"db", "rebuild-segments"});
        INFO(rebuilt.err);
        CHECK(rebuilt.exit_code == 0);
        CHECK(segment_faults(at.conninfo) == faults{});
    };
    const std::string one_segment =
        " WHERE id = (SELECT id FROM price_segment WHERE symbol IS NOT NULL ORDER BY id LIMIT 1)";
    changed("UPDATE price_segment SET data = set_byte(data, 0, 99)" + one_segment, "unreadable");
    changed("UPDATE price_segment SET sum_bid = sum_bid + 0.00000001" + one_segment, "header");
    changed("UPDATE price_segment SET last_time = last_time + interval '1 us'" + one_segment,
            "header");
    changed("UPDATE price_segment SET tick_count = tick_count - 1" + one_segment, "header");
    changed("DELETE FROM price_segment" + one_segment, "candle");
    changed(
        "UPDATE price_telemetry SET bid = bid + 0.00000001 WHERE time ="
        " (SELECT time FROM price_telemetry LIMIT 1)",
        "differs");
    changed(
        "UPDATE price_telemetry SET source = 'x' WHERE source IS NULL AND time ="
        " (SELECT time FROM price_telemetry WHERE source IS NULL LIMIT 1)",
        "differs");
    changed("DELETE FROM price_telemetry WHERE time = (SELECT min(time) FROM price_telemetry)",
            "extra");
    changed(
        "INSERT INTO price_telemetry (time, symbol, bid, ask, mid)"
        " VALUES ('2024-01-01 00:00:01+00', 'NEW', 1, 2, 1.5)",
        "missing");
    changed(
        "UPDATE price_candle_1m SET close = close + 1 WHERE time ="
        " (SELECT min(time) FROM price_candle_1m)",
        "candle");
    changed("DELETE FROM price_candle_1m WHERE time = (SELECT min(time) FROM price_candle_1m)",
            "candle");
}

TEST_CASE("a range of days is verified and made anew, and no more") {
    verified_site at;
    run(at.site.sql(), "DELETE FROM price_segment; DELETE FROM price_candle_1m");
    CHECK(at.tickd({"db", "rebuild-segments", "--from", "2024-01-01", "--to", "2024-01-01"})
              .exit_code == 0);
    CHECK(at.tickd({"verify", "segments", "--from", "2024-01-01"}).exit_code == 0);
    CHECK(at.tickd({"verify", "segments", "--to", "2023-12-31"}).exit_code == 1);
    CHECK(at.tickd({"verify", "segments", "--from", "yesterday"}).exit_code == 64);
}

TEST_CASE("retention drops whole days of rows and segments together") {
    verified_site at;
    run(at.site.sql(),
        "INSERT INTO price_telemetry (time, symbol, bid, ask, mid)"
        " VALUES (now(), 'NEW', 1, 2, 1.5)");
    CHECK(at.tickd({"db", "rebuild-segments"}).exit_code == 0);
    const std::string before = one(at.site.sql(), "SELECT count(*) FROM price_candle_1m");
    const ended_process planned = at.tickd({"db", "retain", "--older-than", "1d", "--dry-run"});
    CHECK(planned.exit_code == 0);
    CHECK(planned.out.contains("would drop  price_telemetry   2023-12-31 to 2024-01-01"));
    CHECK(planned.out.contains("would drop  price_segment     2024-01-01 to 2024-01-02"));
    CHECK(one(at.site.sql(), "SELECT count(*) > 10000 FROM price_telemetry") == "t");
    const ended_process done = at.tickd({"db", "retain", "--older-than", "1d"});
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(one(at.site.sql(), "SELECT count(*) FROM price_telemetry") == "1");
    CHECK(one(at.site.sql(), "SELECT sum(tick_count) FROM price_segment") == "1");
    CHECK(one(at.site.sql(), "SELECT count(*) FROM price_candle_1m") == before);
    CHECK(at.tickd({"db", "retain", "--older-than", "1d"}).out == "nothing is that old\n");
    CHECK(at.tickd({"db", "retain", "--older-than", "soon"}).exit_code == 64);
}
