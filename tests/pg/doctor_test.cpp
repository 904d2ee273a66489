// `tickd doctor` against a real server: each finding is planted, seen, and taken away again.
#include <catch2/catch_test_macros.hpp>

#include <string>

#include "daemon/doctor/server_checks.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct site {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);

    // One that a new connection begins with; awaited, since the server takes it when it gets to it.
    void set_system(const std::string& name, const std::string& value) {
        run(root, "ALTER SYSTEM SET " + name + " = '" + value + "'");
        take_up(name, value);
    }
    void reset_system(const std::string& name, const std::string& value) {
        run(root, "ALTER SYSTEM RESET " + name);
        take_up(name, value);
    }

private:
    void take_up(const std::string& name, const std::string& value) {
        run(root, "SELECT pg_reload_conf()");
        REQUIRE(await_condition([&] {
            pg_connection fresh = connect(conninfo);
            return one(fresh, "SHOW " + name) == value;
        }));
        root = connect(conninfo);
    }
};

}  // namespace

TEST_CASE_METHOD(site, "settings that lose what was acked") {
    // The tests' cluster is fast and forgetful.
    const health_check fast = check_durability(root);
    CHECK(fast.status == check_status::warn);
    CHECK(fast.detail.contains("ALTER SYSTEM SET fsync = on"));
    run(root, "SET synchronous_commit = off");
    CHECK(check_durability(root).detail.contains("synchronous_commit is off"));
    run(root, "SET synchronous_commit = on");
    CHECK_FALSE(check_durability(root).detail.contains("synchronous_commit is off"));
}

TEST_CASE_METHOD(site, "settings that cost speed") {
    run(root, "SET jit = on");
    CHECK(check_tuning(root).status == check_status::warn);
    CHECK(check_tuning(root).detail.contains("jit is on"));
    run(root, "SET jit = off");
    CHECK_FALSE(check_tuning(root).detail.contains("jit is on"));

    set_system("max_wal_size", "1GB");
    CHECK(check_tuning(root).detail.contains("max_wal_size is 1.0 GiB"));
    set_system("max_wal_size", "8GB");
    CHECK_FALSE(check_tuning(root).detail.contains("max_wal_size is"));
}

TEST_CASE_METHOD(site, "an autovacuum that is off, or passes over what is inserted") {
    set_system("autovacuum", "off");
    CHECK(check_autovacuum(root).status == check_status::warn);
    CHECK(check_autovacuum(root).detail.contains("does not run"));
    set_system("autovacuum", "on");
    CHECK(check_autovacuum(root).status == check_status::ok);
    set_system("autovacuum_vacuum_insert_threshold", "-1");
    CHECK(check_autovacuum(root).detail.contains("only inserted into"));
    reset_system("autovacuum_vacuum_insert_threshold", "1000");
    CHECK(check_autovacuum(root).status == check_status::ok);
}

TEST_CASE_METHOD(site, "indexes that somebody has added") {
    CHECK(check_extra_indexes(root).status == check_status::ok);
    run(root, "CREATE INDEX price_by_source ON price_telemetry (source)");
    const health_check found = check_extra_indexes(root);
    CHECK(found.status == check_status::warn);
    CHECK(found.detail.starts_with("price_by_source on price_telemetry"));
}

TEST_CASE_METHOD(site, "chunks whose indexes outgrow the memory") {
    run(root,
        "INSERT INTO price_telemetry (time, symbol, bid, ask) SELECT"
        " '2024-08-08'::timestamptz + n * interval '1 ms', 'S' || n % 100, 1, 2"
        " FROM generate_series(1, 20000) n");
    const health_check small = check_chunk_size(root);
    CHECK(small.status == check_status::ok);
    CHECK(small.detail.starts_with("1 chunks"));
    // The same size beside less memory than any server has: what it reads is shadowed.
    run(root,
        "CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql"
        " AS $$ SELECT '128kB' $$; SET search_path = public, pg_catalog");
    const health_check large = check_chunk_size(root);
    CHECK(large.status == check_status::warn);
    CHECK(large.detail.contains("128.0 KiB shared_buffers"));
}

TEST_CASE_METHOD(site, "clocks that are apart") {
    CHECK(check_clock(root).status == check_status::ok);
    for (const std::string shift : {"+ interval '5 s'", "- interval '5 s'"}) {
        run(root,
            "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT pg_catalog.clock_timestamp() " +
                shift + " $$; SET search_path = public, pg_catalog");
        const health_check apart = check_clock(root);
        INFO(apart.detail);
        CHECK(apart.status == check_status::warn);
    }
}

TEST_CASE_METHOD(site, "every check has its line, with a database and without one") {
    const temporary_folder folder;
    const std::string config =
        folder.write("tickd.yaml", daemon_yaml(as_user(conninfo, "tickd_ingest")));
    const ended_process doctor = run_tickd({"--config", config, "doctor"});
    INFO(doctor.out << doctor.err);
    for (const std::string check :
         {"listeners", "certificates", "files", "spool-space", "durability", "tuning", "autovacuum",
          "clock", "connection", "rights", "extra-indexes", "chunk-size"}) {
        CHECK(doctor.out.contains("  " + check + " "));
    }
    CHECK_FALSE(doctor.out.contains("fail"));
    const ended_process nobody = run_tickd(
        {"--config", folder.write("no.yaml", "database:\n  url: host=/nowhere\n"), "doctor"});
    CHECK(nobody.exit_code == 69);
    CHECK(nobody.out.contains("fail  connection"));
    CHECK(nobody.out.contains("  listeners "));
    CHECK(run_tickd({"doctor", "--sqlstates"}).out.contains("40001") == false);
    CHECK(run_tickd({"doctor", "--sqlstates"}).out.contains("53300    reconnect"));
}
