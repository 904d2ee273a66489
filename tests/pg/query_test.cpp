// `tickd query` and the client library: what comes out of segments is what the rows hold.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <format>

#include "clients/cpp/tick_reader.h"
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

struct query_site {
    ingest_site site{"segments:\n  compact: false\n", any_tenant};
    std::string conninfo = std::format("host={} dbname={} user=postgres", site.sql().host(),
                                       one(site.sql(), "SELECT current_database()"));
    std::size_t sent = 0;

    query_site() {
        random_ticks ticks(21, {.symbols = 3, .begin_us = begin_us});
        send(ticks.lines(8'000));
        for (int i = 0; i < 20; ++i) send(ticks.lines(15));
    }
    void send(const std::string& lines) {
        tcp_client client(site.address());
        client.send(lines);
        client.finish();
        static_cast<void>(client.read_to_end());
        sent += static_cast<std::size_t>(std::ranges::count(lines, '\n'));
        REQUIRE(site.await_records(sent));
    }
    ended_process query(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "query");
        arguments.insert(arguments.end(), {"--database", conninfo});
        return run_tickd(arguments);
    }
};

}  // namespace

TEST_CASE("ticks in COPY BINARY are the rows") {
    query_site at;
    const std::string where =
        "symbol = 'S1' AND time >= '2023-12-31 23:10:00+00' AND time < '2024-01-01 00:20:00+00'";
    const ended_process binary =
        at.query({"ticks", "--symbol", "S1", "--from", "2023-12-31T23:10:00Z", "--to",
                  "2024-01-01T00:20:00Z", "--format", "binary"});
    INFO(binary.err);
    REQUIRE(binary.exit_code == 0);
    pg_connection& sql = at.site.sql();
    run(sql,
        "CREATE TEMPORARY TABLE came AS SELECT time, symbol, bid, ask, mid, volume, source,"
        " metadata FROM price_telemetry LIMIT 0");
    REQUIRE(sql.copy_begin("COPY came FROM STDIN (FORMAT binary)"));
    REQUIRE(sql.copy_put(binary.out));
    REQUIRE(sql.copy_end());
    const std::string wanted =
        "SELECT time, symbol, bid, ask, mid, volume, source, metadata FROM price_telemetry WHERE " +
        where;
    CHECK(one(sql, "SELECT count(*) > 500 FROM came") == "t");
    CHECK(rows(sql, "SELECT * FROM came EXCEPT ALL " + wanted) == text_rows{});
    CHECK(rows(sql, wanted + " EXCEPT ALL SELECT * FROM came") == text_rows{});
}

TEST_CASE("ticks as lines can be sent again, and are the same then") {
    query_site at;
    const ended_process lines = at.query({"ticks", "--symbol", "S0", "--format", "ndjson"});
    REQUIRE(lines.exit_code == 0);
    ingest_site other;
    {
        tcp_client client(other.address());
        client.send(lines.out);
        client.finish();
        static_cast<void>(client.read_to_end());
    }
    const auto count = static_cast<std::size_t>(std::ranges::count(lines.out, '\n'));
    REQUIRE(count > 1'000);
    REQUIRE(other.await_records(count));
    const std::string digest =
        "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (SELECT time, symbol,"
        " bid, ask, mid, volume, source, metadata FROM price_telemetry WHERE symbol = 'S0') AS t";
    CHECK(rows(other.sql(), digest) == rows(at.site.sql(), digest));
    CHECK(other.daemon().stop() == 0);
}

TEST_CASE("a reader gets ticks in order of time, within bounds that are half open") {
    query_site at;
    auto reader = client::tick_reader::connect(at.conninfo);
    REQUIRE(reader);
    pg_connection& sql = at.site.sql();
    const auto us = [&](const char* what) {
        return std::stoll(one(sql, std::format("SELECT (extract(epoch FROM {}(time)) * 1000000)"
                                               "::bigint FROM price_telemetry WHERE symbol = 'S2'",
                                               what)));
    };
    const std::int64_t first = us("min"), last = us("max");
    const auto size = [&](std::int64_t from, std::int64_t to) {
        ingest::tick_columns ticks;
        REQUIRE(reader->read("S2", from, to, {}, ticks));
        CHECK(std::ranges::is_sorted(ticks.time_us));
        return std::to_string(ticks.size());
    };
    const std::string all = one(sql, "SELECT count(*) FROM price_telemetry WHERE symbol = 'S2'");
    CHECK(size(first, last + 1) == all);
    CHECK(size(first, last) ==
          one(sql,
              "SELECT count(*) FROM price_telemetry WHERE symbol = 'S2' AND time <"
              " (SELECT max(time) FROM price_telemetry WHERE symbol = 'S2')"));
    CHECK(size(last + 1, last + 2) == "0");
    CHECK(size(last, first) == "0");
    CHECK(size(INT64_MIN, INT64_MAX) == all);
    ingest::tick_columns none;
    CHECK(reader->read("none's", first, last, {}, none).value() == 0);
    CHECK(none.size() == 0);
}

TEST_CASE("a reader says what is wrong, and goes on") {
    query_site at;
    CHECK_FALSE(client::tick_reader::connect("host=/nowhere dbname=none"));
    auto reader = client::tick_reader::connect(at.conninfo);
    REQUIRE(reader);
    run(at.site.sql(),
        "UPDATE price_segment SET data = set_byte(data, 0, 9) WHERE id ="
        " (SELECT max(id) FROM price_segment)");
    ingest::tick_columns ticks;
    const auto refused = reader->read("S0", INT64_MIN, INT64_MAX, {}, ticks);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == client::read_error::kind::segment);
    run(at.site.sql(), "DELETE FROM price_segment WHERE get_byte(data, 0) = 9");
    CHECK(reader->read("S0", INT64_MIN, INT64_MAX, {}, ticks));
}

TEST_CASE("candles, aggregate and latest are printed in each format") {
    query_site at;
    const auto out = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin() + 1, {"--symbol", "S1"});
        const ended_process done = at.query(arguments);
        INFO(done.err);
        CHECK(done.exit_code == 0);
        return done.out;
    };
    pg_connection& sql = at.site.sql();
    const std::string count = one(sql, "SELECT count(*) FROM price_telemetry WHERE symbol = 'S1'");
    CHECK(out({"aggregate", "--format", "ndjson"}).starts_with("{\"tick_count\":" + count + ","));
    CHECK(out({"aggregate", "--format", "csv"}).starts_with("tick_count,first_time,"));
    const std::string candles = out({"candles", "--bucket", "1 hour", "--format", "csv"});
    CHECK(std::to_string(std::ranges::count(candles, '\n') - 1) ==
          one(sql,
              "SELECT count(DISTINCT date_trunc('hour', time)) FROM price_telemetry"
              " WHERE symbol = 'S1'"));
    CHECK(std::ranges::count(out({"latest"}), '\n') == 2);
    CHECK(out({"latest", "--format", "binary"}).starts_with("PGCOPY\n"));
    CHECK(at.query({"candles", "--symbol", "S1", "--bucket", "90 seconds"}).exit_code == 64);
    CHECK(at.query({"ticks", "--symbol", "S1", "--from", "soon"}).exit_code == 64);
    CHECK(at.query({"ticks"}).exit_code == 64);
}
