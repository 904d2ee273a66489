// What administrators and other sessions do to a server while tickd writes to it.
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"

using namespace tickd::test;

namespace {

constexpr const char* of_lane =
    " FROM pg_stat_activity WHERE application_name LIKE 'tickd lane%'"
    " AND datname = current_database()";

// The lane comes back with the settings its role has now.
void renew_lane(tickd::pg_connection& sql) {
    static_cast<void>(rows(sql, std::string("SELECT pg_terminate_backend(pid)") + of_lane));
}

void await_lane_waits_for_lock(tickd::pg_connection& sql) {
    await(sql, std::string("SELECT coalesce(bool_or(wait_event_type = 'Lock'), false)") + of_lane);
}

void set_for_ingest(tickd::pg_connection& sql, const std::string& setting,
                    const std::string& value) {
    run(sql, "ALTER ROLE tickd_ingest SET " + setting + " = " + value);
    renew_lane(sql);
}

// Two producers that have begun to be acked.
struct busy_site : chaos_site {
    explicit busy_site(private_cluster& cluster = shared_cluster()) : chaos_site(cluster) {
        add_producers(2, 2000);
        REQUIRE(await_acked(500));
    }
    // Whether the daemon says so from now on; then it is mended.
    void break_and_mend(const std::string& fault, const std::string& mend,
                        const std::string& sqlstate) {
        auto connection = sql();
        run(connection, fault);
        CHECK(await_condition([&] { return daemon().logged(sqlstate) > 0; }));
        run(connection, mend);
        REQUIRE(await_acked(500));
        finish_and_compare();
    }
};

}  // namespace

TEST_CASE("a permission that is revoked and given back") {
    busy_site site;
    site.break_and_mend("REVOKE INSERT ON price_telemetry FROM tickd_ingest",
                        "GRANT INSERT ON price_telemetry TO tickd_ingest", "42501");
}

TEST_CASE("a table that is renamed and back") {
    busy_site site;
    site.break_and_mend("ALTER TABLE price_telemetry RENAME TO elsewhere",
                        "ALTER TABLE elsewhere RENAME TO price_telemetry", "42P01");
}

TEST_CASE("a server that becomes read-only and writable again") {
    busy_site site;
    auto sql = site.sql();
    run(sql, "SET default_transaction_read_only = off");
    run(sql, "ALTER SYSTEM SET default_transaction_read_only = on");
    run(sql, "SELECT pg_reload_conf()");
    CHECK(await_condition([&] { return site.daemon().logged("25006") > 0; }));
    CHECK(await_condition([&] { return site.daemon().logged("session is read-only") > 0; }));
    run(sql, "ALTER SYSTEM RESET default_transaction_read_only");
    run(sql, "SELECT pg_reload_conf()");
    REQUIRE(site.await_acked(500));
    site.finish_and_compare();
}

TEST_CASE("a server that is restarted again and again") {
    private_cluster cluster;
    busy_site site(cluster);
    for (int round = 0; round < how_many(2, 10); ++round) {
        cluster.stop(round % 2 == 0 ? stop_mode::fast : stop_mode::immediate);
        cluster.start();
        REQUIRE(site.await_acked(500));
    }
    site.finish_and_compare();
}

TEST_CASE("a server that has no connection left") {
    private_cluster cluster({"max_connections=20"});
    busy_site site(cluster);
    auto sql = site.sql();
    tickd::pg_target target;
    target.conninfo = as_user(site.conninfo(), "tickd_ingest");
    std::vector<tickd::pg_connection> others;
    const bool refused = await_condition([&] {
        for (;;) {
            auto one_more = tickd::pg_connection::connect(target);
            if (!one_more) break;
            others.push_back(std::move(*one_more));
        }
        if (others.size() < 30) renew_lane(sql);
        return site.daemon().logged("connection slots") + site.daemon().logged("too many clients") >
               0;
    });
    CHECK(refused);
    others.clear();
    REQUIRE(site.await_acked(500));
    site.finish_and_compare();
}

TEST_CASE("statements that are cancelled") {
    busy_site site;
    auto sql = site.sql();
    const auto wanted = static_cast<std::size_t>(how_many(3, 100));
    CHECK(await_condition([&] {
        static_cast<void>(rows(
            sql, std::string("SELECT pg_cancel_backend(pid)") + of_lane + " AND state = 'active'"));
        return site.daemon().logged("57014") >= wanted;
    }));
    site.finish_and_compare();
}

TEST_CASE("a deadlock of which the lane is the victim") {
    busy_site site;
    auto sql = site.sql();
    auto other = site.sql();
    set_for_ingest(sql, "deadlock_timeout", "'50ms'");
    REQUIRE(site.await_acked(500));
    for (int round = 0; round < how_many(1, 20); ++round) {
        run(other,
            "SET deadlock_timeout = '1h'; BEGIN;"
            "SELECT FROM tickd.producer WHERE producer = 'feed-0' FOR UPDATE");
        await_lane_waits_for_lock(sql);
        run(other, "LOCK TABLE price_telemetry IN ACCESS EXCLUSIVE MODE");
        run(other, "ROLLBACK");
        REQUIRE(site.await_acked(500));
    }
    CHECK(site.daemon().logged("40P01") > 0);
    run(sql, "ALTER ROLE tickd_ingest RESET deadlock_timeout");
    site.finish_and_compare();
}

TEST_CASE("a transaction that cannot be serialized") {
    busy_site site;
    auto sql = site.sql();
    auto other = site.sql();
    set_for_ingest(sql, "default_transaction_isolation", "'repeatable read'");
    REQUIRE(site.await_acked(500));
    for (int round = 0; round < how_many(1, 20); ++round) {
        run(other, "BEGIN; UPDATE tickd.producer SET last_seen = now() WHERE producer = 'feed-0'");
        await_lane_waits_for_lock(sql);
        run(other, "COMMIT");
        REQUIRE(site.await_acked(500));
    }
    CHECK(site.daemon().logged("40001") > 0);
    run(sql, "ALTER ROLE tickd_ingest RESET default_transaction_isolation");
    site.finish_and_compare();
}

// Without the log's write a killed server forgets what it has said was committed.
TEST_CASE("a role that does not wait for its commits is made to") {
    private_cluster cluster({"wal_writer_delay=10s"});
    chaos_site site(cluster);
    {
        auto sql = site.sql();
        set_for_ingest(sql, "synchronous_commit", "off");
    }
    site.add_producer(
        {.name = "feed-0", .address = site.address(), .records_max = 50, .append = {}});
    REQUIRE(site.await_acked(50));
    cluster.kill_hard();
    cluster.start();
    site.finish_and_compare();
}
