// Segments of a running daemon: they hold the rows, at every commit, before and after compaction.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <thread>

#include "daemon/compact/compaction.h"
#include "ingest/segment_packer.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/random_ticks.h"
#include "tests/support/real_data.h"
#include "tests/support/segment_check.h"
#include "tests/support/tcp_client.h"

using namespace tickd;
using namespace tickd::test;

namespace {

using faults = std::vector<std::string>;

constexpr const char* any_tenant = "  - address: 127.0.0.1:0\n    tenant_from_payload: true";
constexpr const char* no_compactor = "segments:\n  compact: false\n";
constexpr std::int64_t before_midnight_us = 1'704'063'600'000'000;  // 2023-12-31T23:00:00Z

std::string conninfo_of(pg_connection& sql) {
    return std::format("host={} dbname={} user=postgres", sql.host(),
                       one(sql, "SELECT current_database()"));
}

void send(ingest_site& site, const std::string& lines) {
    tcp_client client(site.address());
    client.send(lines);
    client.finish();
    static_cast<void>(client.read_to_end());
}

constexpr int piece_ticks = 100;

// A segment of one symbol: the `number`th second's ticks behind an hour before midnight.
void store_piece(pg_connection& sql, ingest::packing how, std::int64_t number) {
    std::vector<ingest::segment_tick> run(piece_ticks);
    for (int i = 0; i < piece_ticks; ++i) {
        ingest::segment_tick& tick = run[static_cast<std::size_t>(i)];
        tick.time_us = before_midnight_us + number * 1'000'000 + i * 1000;
        tick.bid = 10'000 + i % 7;
        tick.ask = tick.mid = tick.bid + 2;
        tick.symbol = "A";
    }
    ingest::segment_packer packer(how);
    packer.begin(1);
    packer.add(nullptr, run);
    REQUIRE(sql.copy_begin(std::string(ingest::copy_segments_statement)).has_value());
    REQUIRE(sql.copy_put(packer.finish()).has_value());
    REQUIRE(sql.copy_end().has_value());
}

constexpr const char* overlaps =
    "SELECT count(*) FROM price_segment a JOIN price_segment b ON a.id < b.id"
    " AND a.first_time <= b.last_time AND b.first_time <= a.last_time";

pg_target compactor_of(const std::string& conninfo) {
    pg_target target;
    target.conninfo = as_user(conninfo, "tickd_compactor");
    return target;
}

}  // namespace

TEST_CASE("every batch leaves segments that hold its rows") {
    ingest_site site(no_compactor, any_tenant);
    random_ticks few(1, {.symbols = 3, .begin_us = before_midnight_us});
    random_ticks many(2, {.symbols = 2000, .begin_us = before_midnight_us});
    send(site, few.lines(20'000));
    REQUIRE(site.await_records(20'000));
    send(site, many.lines(20'000));
    REQUIRE(site.await_records(40'000));
    for (int i = 0; i < 50; ++i) send(site, many.lines(7));
    REQUIRE(site.await_records(40'350));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "40350");
    CHECK(one(site.sql(), "SELECT sum(tick_count) FROM price_segment") == "40350");
    CHECK(segment_faults(conninfo_of(site.sql())) == faults{});
    // A commit of a few ticks of a few symbols costs a row a tenant and day, not one a symbol: of 2
    // tenants and none, and 2 days. A symbol's own has 64 ticks, or what midnight leaves of them;
    // and 40,350 ticks fill no more than 500 pages.
    CHECK(one(site.sql(),
              "SELECT count(*) <= (SELECT 6 * count(*) FROM tickd.batch_ledger) + 2 * 40350 / 64 + "
              "500"
              "  FROM price_segment") == "t");
    CHECK(one(site.sql(), "SELECT bool_and(level = 0) FROM price_segment") == "t");
    CHECK(one(site.sql(), "SELECT max(octet_length(data)) <= 7680 FROM price_segment") == "t");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("small segments are merged, but not across whole ones") {
    const std::string conninfo = migrated_database(shared_cluster());
    pg_connection sql = connect(conninfo);
    // Eighteen small ones of a symbol, of a hundred ticks each, one after the other.
    for (std::int64_t piece = 0; piece < 18; ++piece) {
        store_piece(sql, ingest::packing::compaction, piece);
    }
    REQUIRE(one(sql, "SELECT string_agg(DISTINCT level::text, ' ') FROM price_segment") == "1");
    compaction work(compactor_of(conninfo));
    REQUIRE(work.connect().has_value());
    const auto whole = [&](const std::string& which) {
        run(sql, "UPDATE price_segment s SET level = CASE WHEN " + which +
                     " THEN 2 ELSE 1 END FROM (SELECT id, row_number() OVER (ORDER BY first_time)"
                     " AS n FROM price_segment) AS numbered WHERE numbered.id = s.id");
    };
    const auto merge = [&] {
        auto done = work.merge_small();
        REQUIRE(done.has_value());
        return *done;
    };
    whole("n % 2 = 0");
    CHECK(merge().segments_taken == 0);
    // Nine of them between two whole ones, two before and five behind these.
    whole("n IN (3, 13)");
    const compaction_step merged = merge();
    CHECK(merged.segments_taken == 9);
    CHECK(merged.segments_made == 1);
    CHECK(merge().segments_taken == 0);
    CHECK(one(sql, overlaps) == "0");
    CHECK(one(sql, "SELECT sum(tick_count) FROM price_segment") == "1800");
}

TEST_CASE("folds of a backlog leave segments that do not overlap, wherever they cut it") {
    const std::string conninfo = migrated_database(shared_cluster());
    pg_connection sql = connect(conninfo);
    // Three batches, more than a fold takes, each with its newest ticks first as batches are
    // written.
    constexpr std::int64_t batches = 3, pieces = 600;
    run(sql, "BEGIN");
    for (std::int64_t batch = 0; batch < batches; ++batch) {
        for (std::int64_t piece = pieces; piece-- > 0;) {
            store_piece(sql, ingest::packing::batch, batch * pieces + piece);
        }
    }
    run(sql, "COMMIT");
    compaction work(compactor_of(conninfo));
    REQUIRE(work.connect().has_value());
    int folds = 0;
    for (;; ++folds) {
        const auto done = work.fold();
        REQUIRE(done.has_value());
        if (done->segments_taken == 0) break;
    }
    CHECK(folds >= 2);
    CHECK(one(sql, overlaps) == "0");
    CHECK(one(sql, "SELECT sum(tick_count) FROM price_segment") ==
          std::to_string(batches * pieces * piece_ticks));
}

TEST_CASE("the compactor merges segments, keeps candles, and loses nothing") {
    ingest_site site("", any_tenant);
    const std::string conninfo = conninfo_of(site.sql());
    random_ticks ticks(3, {.symbols = 40, .begin_us = before_midnight_us});
    int sent = 0;
    for (int i = 0; i < 30; ++i) {
        send(site, ticks.lines(300));
        sent += 300;
    }
    REQUIRE(site.await_records(static_cast<std::size_t>(sent)));
    await(site.sql(), "SELECT count(*) = 0 FROM price_segment WHERE level = 0");
    CHECK(segment_faults(conninfo) == faults{});
    CHECK(one(site.sql(), "SELECT sum(tick_count) FROM price_candle_1m") == std::to_string(sent));
    CHECK(rows(site.sql(),
               "SELECT symbol, tenant_id, time FROM price_latest"
               " EXCEPT SELECT symbol, tenant_id, max(time) FROM price_telemetry"
               " GROUP BY 1, 2") == text_rows{});
    CHECK(one(site.sql(), "SELECT count(*) FROM price_latest") ==
          one(site.sql(),
              "SELECT count(*) FROM (SELECT DISTINCT symbol, tenant_id"
              " FROM price_telemetry) AS d"));
    CHECK(site.daemon().stop() == 0);
    CHECK(segment_faults(conninfo) == faults{});
}

TEST_CASE(
    "segments agree with rows in every snapshot while four lanes write and the compactor works") {
    ingest_site site("lanes:\n  count: 4\nbatch:\n  rows_max: 2000\n", any_tenant);
    const std::string conninfo = conninfo_of(site.sql());
    std::vector<std::jthread> feeds;
    for (int feed = 0; feed < 4; ++feed) {
        feeds.emplace_back([&, feed](const std::stop_token& stop) {
            random_ticks ticks(static_cast<std::uint64_t>(feed) + 10,
                               {.symbols = 20, .begin_us = before_midnight_us});
            tcp_client client(site.address());
            // Enough for a look at some hundred commits; more makes each look longer.
            constexpr int rounds_max = 150;
            for (int round = 0; round < rounds_max && !stop.stop_requested(); ++round) {
                client.send(ticks.lines(100));
            }
            client.finish();
            static_cast<void>(client.read_to_end());
        });
    }
    const auto folded = [&] {
        return std::stol(one(site.sql(), "SELECT count(*) FROM price_segment WHERE level > 0"));
    };
    for (int looked = 0; looked < 4 || folded() == 0; ++looked) {
        CHECK(segment_faults(conninfo) == faults{});
    }
    feeds.clear();
    CHECK(site.daemon().stop() == 0);
    CHECK(segment_faults(conninfo) == faults{});
}

TEST_CASE("the real ticks come back from segments as they are in the rows") {
    ingest_site site;
    std::size_t lines = 0;
    tcp_client client(site.address());
    for (const auto& file : find_real_files().ticks) {
        const std::string text = gunzip(file);
        lines += lines_of(text).size();
        client.send(text);
    }
    client.finish();
    REQUIRE(site.await_records(lines));
    await(site.sql(), "SELECT count(*) = 0 FROM price_segment WHERE level = 0");
    CHECK(segment_faults(conninfo_of(site.sql())) == faults{});
    CHECK(site.daemon().stop() == 0);
}
