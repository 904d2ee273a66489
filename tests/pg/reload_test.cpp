// SIGHUP against the real daemon: what is swapped under load, what is not, and what a wrong
// configuration does.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/support/acked_producer.h"
#include "tests/support/daemon_process.h"
#include "tests/support/exposition.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/reconfigure.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

// Waits until the daemon has dealt with that many reloads.
void await_reloads(daemon_process& daemon, std::size_t count) {
    REQUIRE(await_condition([&] {
        return daemon.logged("reload: changed: ") + daemon.logged("reload: nothing was changed") ==
               count;
    }));
}

std::string nine_decimals(std::string_view symbol) {
    return std::format("{{\"symbol\":\"{}\",\"bid\":1.000000005,\"ask\":2}}\n", symbol);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("under load a reload swaps rules and closes no session", "[reload]") {
    ingest_site site("records:\n  excess_digits: reject\nadmin:\n  address: 127.0.0.1:0\n");
    daemon_process& daemon = site.daemon();
    acked_producer one({.name = "one", .address = site.address(), .rate = 5000});
    acked_producer two({.name = "two", .address = site.address(), .rate = 5000});
    tcp_client plain(site.address());
    plain.send(nine_decimals("BEFORE"));
    REQUIRE(await_condition([&] { return one.acked() > 1000 && two.acked() > 1000; }));
    REQUIRE(await_condition([&] {
        return tickd::test::one(site.sql(),
                                "SELECT count(*) FROM tickd.dead_letter"
                                " WHERE verdict = 'too_precise'") == "1";
    }));

    const std::string rounding = replaced(site.yaml(), "reject", "round");
    for (std::size_t round = 1; round <= 10; ++round) {
        rewrite_config(daemon,
                       round % 2 == 1 ? rounding + "stop:\n  drain_timeout: 20s\n" : site.yaml());
        hang_up(daemon);
        await_reloads(daemon, round);
        const std::uint64_t acked = one.acked() + two.acked();
        REQUIRE(await_condition([&] { return one.acked() + two.acked() > acked + 200; }));
    }
    rewrite_config(daemon, rounding);
    hang_up(daemon);
    await_reloads(daemon, 11);
    CHECK(daemon.logged("reload: changed: records.excess_digits, stop.drain_timeout") == 10);

    // The session that was refused before is rounded now.
    plain.send(nine_decimals("AFTER"));
    plain.finish();
    CHECK(plain.read_to_end() == "");
    await(site.sql(), "SELECT count(*) = 1 FROM price_telemetry WHERE symbol = 'AFTER'");
    CHECK(rows(site.sql(),
               "SELECT symbol, bid FROM price_telemetry"
               " WHERE symbol IN ('BEFORE', 'AFTER')") == text_rows{{"AFTER", "1.00000001"}});
    REQUIRE(one.finish());
    REQUIRE(two.finish());
    CHECK(one.welcomes() == 1);
    CHECK(two.welcomes() == 1);
    CHECK(one.complaints().empty());
    CHECK(two.complaints().empty());
    const exposition seen(http_get(admin_address(daemon), "/metrics").body);
    CHECK(seen.value("tickd_reloads_total", {{"result", "taken"}}) == 11);
    CHECK(seen.sum("tickd_records_unaccounted") == 0);
    CHECK(daemon.stop() == 0);
}

TEST_CASE("what needs a restart is named and stays", "[reload]") {
    ingest_site site("lanes:\n  count: 1\n");
    daemon_process& daemon = site.daemon();
    const std::string more = replaced(site.yaml(), "count: 1", "count: 2") +
                             "batch:\n  rows_max: 10\nstop:\n  drain_timeout: 7s\n";
    rewrite_config(daemon, replaced(more, "  - address: 127.0.0.1:0",
                                    "  - address: 127.0.0.1:0\n  - address: unix:/tmp/nowhere"));
    hang_up(daemon);
    await_reloads(daemon, 1);
    CHECK(daemon.logged("reload: needs a restart, and stays as it was: lanes.count, batch.rows_max,"
                        " listeners (with unix:/tmp/nowhere)") == 1);
    CHECK(daemon.logged("reload: changed: stop.drain_timeout") == 1);
    // Said again as long as it is so.
    hang_up(daemon);
    await_reloads(daemon, 2);
    CHECK(daemon.logged("needs a restart") == 2);
    CHECK(daemon.logged("reload: changed: nothing") == 1);
    CHECK(daemon.stop() == 0);
    CHECK(daemon.logged("draining, for at most 7000 ms") == 1);
}

TEST_CASE("a wrong configuration changes nothing and is reported with its lines", "[reload]") {
    ingest_site site("records:\n  excess_digits: reject\n");
    daemon_process& daemon = site.daemon();
    rewrite_config(daemon,
                   replaced(site.yaml(), "reject", "round") + "log:\n  level: loud\nnonsense: 1\n");
    hang_up(daemon);
    await_reloads(daemon, 1);
    CHECK(daemon.logged("reload: nothing was changed") == 1);
    CHECK(daemon.logged("tickd.yaml:") >= 2);
    CHECK(daemon.logged("nonsense: no such setting") == 1);

    // A file that is named and cannot be read is as wrong.
    rewrite_config(daemon, replaced(replaced(site.yaml(), "reject", "round"), "database:\n",
                                    "database:\n  password_file: /nowhere/password\n"));
    hang_up(daemon);
    await_reloads(daemon, 2);
    CHECK(daemon.logged("reload: database.password_file: /nowhere/password cannot be read") == 1);

    tcp_client client(site.address());
    client.send(nine_decimals("S"));
    client.finish();
    CHECK(client.read_to_end() == "");
    REQUIRE(site.await_records(1));
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "1");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a reload changes a listener's tenant, source and places", "[reload]") {
    constexpr std::string_view listener = "  - address: 127.0.0.1:0\n    name: in\n";
    ingest_site site("", std::string(listener) + "    sessions_max: 2\n    source: old");
    daemon_process& daemon = site.daemon();
    tcp_client kept(site.address());
    kept.send("{\"symbol\":\"A\",\"bid\":1,\"ask\":2}\n");
    REQUIRE(site.await_records(1));
    run(site.sql(),
        "INSERT INTO tenants (tenant_id, name) VALUES"
        " ('01234567-89ab-cdef-0123-456789abcdef', 't')");
    rewrite_config(daemon, replaced(site.yaml(), "sessions_max: 2\n    source: old",
                                    "sessions_max: 1\n    source: new\n"
                                    "    tenant: 01234567-89ab-cdef-0123-456789abcdef"));
    hang_up(daemon);
    await_reloads(daemon, 1);
    kept.send("{\"symbol\":\"B\",\"bid\":1,\"ask\":2}\n");
    REQUIRE(site.await_records(2));
    CHECK(rows(site.sql(),
               "SELECT symbol, source, coalesce(tenant_id::text, '') FROM"
               " price_telemetry ORDER BY symbol") ==
          text_rows{{"A", "old", ""}, {"B", "new", "01234567-89ab-cdef-0123-456789abcdef"}});
    // The one place is taken; the session that has it is not closed.
    CHECK(tcp_client(site.address()).read_to_end() == "");
    // It is closed before it is logged.
    CHECK(daemon.await_logged("refused: 1 sessions are open already"));
    kept.finish();
    CHECK(kept.read_to_end() == "");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("the level and the form of the log change", "[reload]") {
    ingest_site site("admin:\n  address: 127.0.0.1:0\n");
    daemon_process& daemon = site.daemon();
    const std::string admin = admin_address(daemon);
    rewrite_config(daemon, replaced(site.yaml(), "format: json", "format: human"));
    hang_up(daemon);
    await_reloads(daemon, 1);
    CHECK(daemon.logged(" info  reload: changed: log.format") == 1);
    rewrite_config(daemon, replaced(site.yaml(), "format: json", "format: human\n  level: error"));
    hang_up(daemon);
    REQUIRE(await_condition([&] {
        const exposition seen(http_get(admin, "/metrics").body);
        return seen.value("tickd_reloads_total", {{"result", "taken"}}) == 2;
    }));
    // Nothing is said any more but errors, of which a wrong configuration is one.
    rewrite_config(daemon, "nonsense: 1\n");
    REQUIRE(await_condition([&] {
        hang_up(daemon);
        return daemon.logged("reload: nothing was changed") != 0;
    }));
    CHECK(daemon.logged("reload: changed: ") == 1);
    CHECK(daemon.stop() == 0);
    CHECK(daemon.logged("everything received is committed") == 0);
}

TEST_CASE("a password that was changed is followed without a restart", "[reload]") {
    const auto cluster = std::make_unique<private_cluster>();
    const std::string conninfo = migrated_database(*cluster);
    tickd::pg_connection sql = connect(conninfo);
    const std::string rules = cluster->directory() + "/data/pg_hba.conf";
    std::string before;
    {
        std::ifstream in(rules);
        before.assign(std::istreambuf_iterator<char>(in), {});
    }
    std::ofstream(rules) << "local all tickd_ingest scram-sha-256\n" << before;
    run(sql, "ALTER ROLE tickd_ingest PASSWORD 'first'");
    run(sql, "SELECT pg_reload_conf()");
    temporary_folder folder;
    const std::string first = folder.write("first", "first\n");
    const std::string yaml =
        replaced(daemon_yaml(as_user(conninfo, "tickd_ingest"), "admin:\n  address: 127.0.0.1:0\n"),
                 "database:\n", "database:\n  password_file: " + first + "\n");
    daemon_process daemon(yaml);
    REQUIRE(daemon.ready());
    const std::string admin = admin_address(daemon);
    const auto ready = [&] { return http_get(admin, "/readyz").status == 200; };
    REQUIRE(await_condition(ready));

    run(sql, "ALTER ROLE tickd_ingest PASSWORD 'second'");
    run(sql,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'tickd_ingest'");
    REQUIRE(daemon.await_logged("password authentication failed"));
    CHECK_FALSE(ready());
    rewrite_config(daemon, replaced(yaml, first, folder.write("second", "second\n")));
    hang_up(daemon);
    REQUIRE(await_condition(ready));
    CHECK(daemon.logged("reload: changed: database.password_file") == 1);
    CHECK(daemon.stop() == 0);
}
