// /metrics of the real daemon: every figure against what was sent and what the tables have.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <format>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/acked_producer.h"
#include "tests/support/daemon_process.h"
#include "tests/support/exposition.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

constexpr std::string_view with_admin = "admin:\n  address: 127.0.0.1:0\n";

exposition metrics_of(const daemon_process& daemon) {
    const http_answer answer = http_get(admin_address(daemon), "/metrics");
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    return exposition(answer.body);
}

void say(const std::string& address, const std::string& lines) {
    tcp_client client(address);
    client.send(lines);
    client.finish();
    REQUIRE(client.read_to_end());
}

std::string hello(const std::string& producer) {
    return std::format("{{\"type\":\"hello\",\"producer\":\"{}\"}}\n", producer);
}
std::string tick(int seq) {
    return std::format("{{\"seq\":{},\"symbol\":\"S\",\"bid\":{},\"ask\":1}}\n", seq, seq);
}

// Names in the first column of the tables under "Metrics".
std::set<std::string> documented_metrics() {
    std::ifstream page(TICKD_SOURCE_DIR "/docs/operations.md");
    std::set<std::string> names;
    bool within = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) within = line == "## Metrics";
        if (!within || !(line.starts_with("| `tickd_") || line.starts_with("| `process_"))) {
            continue;
        }
        const std::size_t end = line.find_first_of("`{", 3);
        CHECK(names.insert(line.substr(3, end - 3)).second);
    }
    return names;
}

}  // namespace

TEST_CASE("metrics say what was sent and what became of it", "[metrics]") {
    ingest_site site(std::string(with_admin) + "lanes:\n  count: 2\n");
    std::uint64_t refused = 0;
    {
        acked_producer a({.name = "feed-a", .address = site.address(), .records_max = 5000});
        acked_producer b({.name = "feed-b", .address = site.address(), .records_max = 3000});
        REQUIRE(await_condition([&] { return a.acked() == 5000 && b.acked() == 3000; }));
        REQUIRE(a.finish());
        REQUIRE(b.finish());
        CHECK(a.complaints().empty());
        refused = a.rejected() + b.rejected();
    }
    REQUIRE(refused == 5000 / 97 + 3000 / 97);
    // Sent again: duplicates, one of which would be refused.
    std::string again = hello("feed-b");
    for (std::uint64_t seq = 2901; seq <= 3000; ++seq) append_record("feed-b", seq, again);
    say(site.address(), again);
    say(site.address(), "{\"symbol\":\"P\",\"bid\":1,\"ask\":2}\nnot json\n{\"symbol\":\"P\"}\n");
    say(site.address(), "{\"type\":\"hello\",\"producer\":7}\n");
    REQUIRE(site.await_records(5000 + 3000 + 3));

    // Blocks of duplicates leave a ledger row and no record: the daemon says when all is home.
    REQUIRE(await_condition([&] {
        const exposition now = metrics_of(site.daemon());
        return now.sum("tickd_records_in_flight") == 0 &&
               now.sum("tickd_records_received_total") == 5000 + 3000 + 100 + 3;
    }));
    const exposition seen = metrics_of(site.daemon());
    CHECK(seen.sum("tickd_records_duplicate_total") == 100);
    const auto rows_of = [&](const std::string& table) {
        return std::stod(one(site.sql(), "SELECT count(*) FROM " + table));
    };
    CHECK(seen.sum("tickd_records_committed_total", {{"kind", "tick"}}) ==
          rows_of("price_telemetry"));
    CHECK(seen.sum("tickd_records_committed_total", {{"kind", "event"}}) ==
          rows_of("unified_activity_log"));
    CHECK(seen.sum("tickd_records_committed_total", {{"kind", "dead_letter"}}) ==
          rows_of("tickd.dead_letter"));
    for (const auto& row :
         rows(site.sql(), "SELECT verdict, count(*) FROM tickd.dead_letter GROUP BY 1")) {
        CAPTURE(row[0]);
        CHECK(seen.sum("tickd_records_refused_total", {{"verdict", row[0]}}) == std::stod(row[1]));
    }
    CHECK(seen.sum("tickd_records_refused_total") == static_cast<double>(refused) + 2);
    CHECK(seen.sum("tickd_rejects_sent_total") == static_cast<double>(refused));

    // Conservation, from the exported figures alone.
    CHECK(seen.sum("tickd_records_received_total") ==
          seen.sum("tickd_records_committed_total") + seen.sum("tickd_records_duplicate_total") +
              seen.sum("tickd_records_spooled") + seen.sum("tickd_records_in_flight"));
    CHECK(seen.sum("tickd_records_unaccounted") == 0);

    for (const auto& row : rows(site.sql(),
                                "SELECT producer, watermark, received, committed, duplicates,"
                                " dead_lettered FROM tickd.producer")) {
        const exposition::labels of{{"producer", row[0]}, {"tenant", ""}};
        CAPTURE(row[0]);
        CHECK(seen.value("tickd_producer_watermark", of) == std::stod(row[1]));
        CHECK(seen.value("tickd_producer_records_received_total", of) == std::stod(row[2]));
        CHECK(seen.value("tickd_producer_records_committed_total", of) == std::stod(row[3]));
        CHECK(seen.value("tickd_producer_records_duplicate_total", of) == std::stod(row[4]));
        CHECK(seen.value("tickd_producer_records_dead_lettered_total", of) == std::stod(row[5]));
        CHECK(seen.value("tickd_producer_lag_seconds", of) == 0);
    }
    CHECK(seen.count("tickd_producer_watermark") == 2);

    // Every record once, every block once, every batch once.
    CHECK(seen.sum("tickd_receive_to_commit_seconds_count") ==
          seen.sum("tickd_records_committed_total"));
    CHECK(seen.sum("tickd_batch_rows_sum") == seen.sum("tickd_records_committed_total"));
    CHECK(seen.sum("tickd_batch_rows_count") == seen.sum("tickd_batches_total"));
    CHECK(seen.sum("tickd_stage_seconds_count", {{"stage", "commit"}}) ==
          seen.sum("tickd_batches_total"));
    CHECK(seen.sum("tickd_stage_seconds_count", {{"stage", "seal"}}) ==
          seen.sum("tickd_block_receive_to_commit_seconds_count"));
    CHECK(seen.sum("tickd_stage_seconds_count", {{"stage", "prepare"}}) >=
          seen.sum("tickd_batches_total"));
    CHECK(seen.sum("tickd_blocks") == 0);
    CHECK(seen.sum("tickd_batches_total") ==
          std::stod(one(site.sql(), "SELECT count(*) FROM tickd.batch_ledger")));

    CHECK(seen.sum("tickd_database_connected") == 2);
    CHECK(seen.sum("tickd_database_connects_total") == 2);
    CHECK(seen.sum("tickd_database_failures_total") == 0);
    CHECK(seen.value("tickd_ready") == 1);
    CHECK(seen.sum("tickd_turned_away_total", {{"code", "bad_hello"}}) == 1);
    CHECK(seen.sum("tickd_turned_away_total") == 1);
    CHECK(seen.sum("tickd_connections_accepted_total") >= 5);
    CHECK(seen.value("process_resident_memory_bytes") > 1e6);
    CHECK(seen.value("process_open_fds") > 5);
    CHECK(seen.value("process_threads") >= 6);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("every metric is in docs/operations.md and every one there is exported", "[metrics]") {
    ingest_site site(with_admin);
    const exposition seen = metrics_of(site.daemon());
    std::set<std::string> exported;
    for (const auto& [name, type] : seen.families()) exported.insert(name);
    CHECK(documented_metrics() == exported);
}

TEST_CASE("producers beyond the bound share one label", "[metrics]") {
    ingest_site site(with_admin);
    constexpr int producers = 1010;
    for (int i = 0; i < producers; ++i) {
        say(site.address(), hello(std::format("feed-{}", i)) + tick(1) + tick(2));
    }
    REQUIRE(site.await_records(2 * producers));
    const exposition seen = metrics_of(site.daemon());
    CHECK(seen.count("tickd_producer_records_received_total") == 1001);
    CHECK(seen.count("tickd_producer_watermark") == 1000);
    CHECK(seen.value("tickd_producer_records_received_total", {{"producer", ""}, {"tenant", ""}}) ==
          20);
    CHECK(seen.sum("tickd_producer_records_received_total") == 2 * producers);
    CHECK(seen.sum("tickd_producer_records_committed_total") == 2 * producers);
}

TEST_CASE("a name that needs escapes is a label like any other", "[metrics]") {
    ingest_site site(with_admin);
    say(site.address(), hello("a \\\"b\\\" \\\\ c") + tick(1));
    REQUIRE(site.await_records(1));
    const exposition seen = metrics_of(site.daemon());
    CHECK(seen.value("tickd_producer_watermark", {{"producer", "a \"b\" \\ c"}, {"tenant", ""}}) ==
          1);
}

TEST_CASE("with the database away metrics tell the lag, the spool and why", "[metrics]") {
    const auto cluster = std::make_unique<private_cluster>();
    const std::string conninfo = migrated_database(*cluster);
    temporary_folder folder;
    daemon_process daemon(
        daemon_yaml(as_user(conninfo, "tickd_ingest"),
                    std::string(with_admin) + "spool:\n  folder: " + folder.file("spool") + "\n"));
    REQUIRE(daemon.ready());
    acked_producer feed({.name = "feed", .address = daemon.address(), .rate = 500});
    REQUIRE(await_condition([&] { return feed.acked() > 100; }));
    cluster->stop(stop_mode::immediate);
    REQUIRE(await_condition([&] {
        const exposition now = metrics_of(daemon);
        return now.sum("tickd_records_spooled") > 0 &&
               now.value("tickd_producer_lag_seconds", {{"producer", "feed"}, {"tenant", ""}}) > 1;
    }));
    const exposition away = metrics_of(daemon);
    CHECK(away.sum("tickd_database_connected") == 0);
    CHECK(away.sum("tickd_database_failures_total", {{"sqlstate", "none"}}) >= 1);
    CHECK(away.sum("tickd_spool_bytes") > 0);
    CHECK(away.sum("tickd_spool_bytes_max") == 1024.0 * 1024 * 1024);
    CHECK(away.value("tickd_ready") == 0);
    CHECK(away.sum("tickd_records_unaccounted") == 0);
    cluster->start();
    REQUIRE(await_condition([&] {
        const exposition now = metrics_of(daemon);
        return now.sum("tickd_records_spooled") == 0 && now.sum("tickd_database_connected") == 1;
    }));
    REQUIRE(feed.finish());
    CHECK(feed.complaints().empty());
    REQUIRE(
        await_condition([&] { return metrics_of(daemon).sum("tickd_records_in_flight") == 0; }));
    const exposition back = metrics_of(daemon);
    CHECK(back.sum("tickd_records_received_total") ==
          back.sum("tickd_records_committed_total") + back.sum("tickd_records_duplicate_total"));
    CHECK(back.sum("tickd_records_unaccounted") == 0);
    CHECK(back.sum("tickd_database_connects_total") >= 2);
    CHECK(back.value("tickd_producer_lag_seconds", {{"producer", "feed"}, {"tenant", ""}}) == 0);
    CHECK(back.value("tickd_producer_watermark", {{"producer", "feed"}, {"tenant", ""}}) ==
          static_cast<double>(feed.sent()));
    CHECK(daemon.stop() == 0);
}
