// `tickd db health` on a healthy database and on one fault after the other.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "daemon/db/health.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct fixture {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);

    // Every check as one text, and the one with the name.
    static std::string lines(pg_connection& as) {
        std::string text;
        for (const auto& check : check_health(as, embedded_migrations())) {
            text += to_line(check) + "\n";
        }
        return text;
    }
    health_check check(const std::string& name) { return check_as(root, name); }
    static health_check check_as(pg_connection& as, const std::string& name) {
        const auto checks = check_health(as, embedded_migrations());
        const auto found = std::ranges::find(checks, name, &health_check::name);
        REQUIRE(found != checks.end());
        return *found;
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "a fresh database is healthy") {
    const auto checks = check_health(root, embedded_migrations());
    INFO(lines(root));
    CHECK(exit_code_of(checks) == exit_code::ok);
    CHECK(checks.size() == 17);
    for (const health_check& each : checks) {
        if (each.name == "ticks") {
            CHECK(each.status == check_status::note);
        } else if (each.name != "disk") {  // a nearly full disk is none of this test's
            CHECK(to_string(each.status) == "ok");
        }
    }
    CHECK(check("extension").detail.find("apache edition") != std::string::npos);
    CHECK(check("hypertable").detail == "price_telemetry, 0 chunks of 1 day");
}

TEST_CASE_METHOD(fixture, "the daemon's role and the auditor may run it, and it is ok for them") {
    for (const std::string role : {"tickd_ingest", "tickd_auditor"}) {
        pg_connection other = connect(as_user(conninfo, role));
        INFO(lines(other));
        const auto checks = check_health(other, embedded_migrations());
        CHECK(checks.size() == 17);
        for (const health_check& each : checks) {
            INFO(each.name);
            CHECK((each.status == check_status::ok || each.name == "ticks" || each.name == "disk"));
        }
        CHECK(check_as(other, "disk").status == check_status::note);
    }
}

TEST_CASE_METHOD(fixture, "who may not look gets notes, not alarms") {
    run(root,
        "DO $$ BEGIN CREATE ROLE passer_by LOGIN; EXCEPTION WHEN duplicate_object THEN NULL;"
        " END $$");
    pg_connection other = connect(as_user(conninfo, "passer_by"));
    INFO(lines(other));
    CHECK(check_as(other, "ticks").status == check_status::note);
    CHECK(check_as(other, "migrations").status == check_status::note);
    CHECK(exit_code_of(check_health(other, embedded_migrations())) == exit_code::ok);
}

TEST_CASE("a database without the schema fails, shortly") {
    pg_connection connection = connect(fresh_database(shared_cluster()));
    const auto checks = check_health(connection, embedded_migrations());
    CHECK(exit_code_of(checks) == exit_code::check_failed);
    CHECK(checks.size() == 6);
    CHECK(fixture::check_as(connection, "extension").status == check_status::fail);
    CHECK(fixture::check_as(connection, "migrations").detail.find("run `tickd db migrate`") !=
          std::string::npos);
}

TEST_CASE("a database of another encoding is refused, and reported") {
    private_cluster& cluster = shared_cluster();
    {
        pg_connection root = connect(cluster.conninfo());
        run(root, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    }
    pg_target target;
    target.conninfo = cluster.conninfo("latin");
    const auto refused = pg_connection::connect(target);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("SQL_ASCII") != std::string::npos);

    target.check_server = false;
    auto connection = pg_connection::connect(target);
    REQUIRE(connection.has_value());
    CHECK(fixture::check_as(*connection, "encoding").status == check_status::fail);
}

TEST_CASE_METHOD(fixture, "each planted fault is found by its check, and only while it is there") {
    struct fault {
        std::string plant, mend, check, words;
    };
    const std::vector<fault> faults{
        {"DROP INDEX idx_price_symbol",
         "CREATE INDEX idx_price_symbol ON price_telemetry (symbol, time DESC)", "indexes",
         "idx_price_symbol is missing"},
        {"DROP INDEX idx_price_symbol; CREATE INDEX idx_price_symbol ON price_telemetry (symbol)",
         "DROP INDEX idx_price_symbol;"
         "CREATE INDEX idx_price_symbol ON price_telemetry (symbol, time DESC)",
         "indexes", "idx_price_symbol is btree (symbol), not"},
        {"UPDATE pg_index SET indisvalid = false"
         " WHERE indexrelid = 'idx_activity_agent'::regclass",
         "UPDATE pg_index SET indisvalid = true"
         " WHERE indexrelid = 'idx_activity_agent'::regclass",
         "indexes", "idx_activity_agent is not valid"},
        {"REVOKE INSERT ON price_telemetry FROM tickd_ingest",
         "GRANT INSERT ON price_telemetry TO tickd_ingest", "rights",
         "tickd_ingest may not INSERT public.price_telemetry"},
        {"GRANT DELETE ON unified_activity_log TO tickd_reader",
         "REVOKE DELETE ON unified_activity_log FROM tickd_reader", "rights",
         "tickd_reader may DELETE public.unified_activity_log"},
        {"GRANT UPDATE ON unified_activity_log TO tickd_ingest",
         "REVOKE UPDATE ON unified_activity_log FROM tickd_ingest", "rights",
         "tickd_ingest may UPDATE public.unified_activity_log"},
        {"GRANT SELECT ON tickd.dead_letter TO PUBLIC",
         "REVOKE SELECT ON tickd.dead_letter FROM PUBLIC", "rights",
         "PUBLIC may SELECT tickd.dead_letter"},
        {"ALTER TABLE portfolios NO FORCE ROW LEVEL SECURITY",
         "ALTER TABLE portfolios FORCE ROW LEVEL SECURITY", "rights",
         "public.portfolios has a tenant_id and no forced row security"},
        {"GRANT USAGE ON SCHEMA tickd_chunks TO tickd_reader",
         "REVOKE USAGE ON SCHEMA tickd_chunks FROM tickd_reader", "rights",
         "tickd_reader may use schema tickd_chunks"},
        {"GRANT USAGE ON SCHEMA tickd_chunks TO PUBLIC",
         "REVOKE USAGE ON SCHEMA tickd_chunks FROM PUBLIC", "rights",
         "PUBLIC may use schema tickd_chunks"},
        {"GRANT EXECUTE ON FUNCTION tickd.take_lane TO PUBLIC",
         "REVOKE EXECUTE ON FUNCTION tickd.take_lane FROM PUBLIC", "rights",
         "PUBLIC may run tickd.take_lane"},
        {"REVOKE EXECUTE ON FUNCTION tickd.settle_batch FROM tickd_ingest",
         "GRANT EXECUTE ON FUNCTION tickd.settle_batch TO tickd_ingest", "rights",
         "tickd_ingest may not run tickd.settle_batch"},
        {"REVOKE EXECUTE ON FUNCTION tickd.mark_replayed FROM tickd_operator",
         "GRANT EXECUTE ON FUNCTION tickd.mark_replayed TO tickd_operator", "rights",
         "tickd_operator may not run tickd.mark_replayed"},
        {"INSERT INTO tickd.producer (producer, received, committed, duplicates, dead_lettered)"
         " VALUES ('feed-a', 100, 90, 5, 3), ('feed-b', 10, 7, 2, 1)",
         "UPDATE tickd.producer SET dead_lettered = 5 WHERE producer = 'feed-a'", "conservation",
         "producer feed-a: 2 records are not accounted for"},
        {"UPDATE tickd.producer SET committed = 8, dead_lettered = 0 WHERE producer = 'feed-b';"
         "UPDATE tickd.producer SET committed = 11, dead_lettered = -3 WHERE producer = 'feed-b'",
         "UPDATE tickd.producer SET committed = 7, dead_lettered = 1 WHERE producer = 'feed-b'",
         "conservation", "producer feed-b: 0 records"},
        {"ALTER TABLE tickd.dead_letter OWNER TO postgres",
         "ALTER TABLE tickd.dead_letter OWNER TO tickd_owner", "owner",
         "tickd.dead_letter belongs to postgres"},
        {"UPDATE _timescaledb_catalog.hypertable SET associated_schema_name = 'public'",
         "UPDATE _timescaledb_catalog.hypertable SET associated_schema_name = 'tickd_chunks'",
         "chunks", "new chunks are not made in tickd_chunks"},
        {"UPDATE tickd.tickd_migrations SET checksum = repeat('0', 64) WHERE number = 3",
         "UPDATE tickd.tickd_migrations SET checksum = encode(sha256(convert_to(" +
             quote_literal(embedded_migrations()[2].sql) + ", 'UTF8')), 'hex') WHERE number = 3",
         "migrations", "0003_price_telemetry has changed"},
    };
    for (const fault& each : faults) {
        INFO(each.plant);
        run(root, each.plant);
        const health_check found = check(each.check);
        CHECK(found.status == check_status::fail);
        INFO(found.detail);
        CHECK(found.detail.find(each.words) != std::string::npos);
        run(root, each.mend);
        CHECK(check(each.check).status == check_status::ok);
    }
}

TEST_CASE("a role that lost its attribute is found") {
    private_cluster cluster;  // roles are the cluster's: the shared one's must stay as they are
    pg_connection root = connect(migrated_database(cluster));
    const auto detail = [&] { return fixture::check_as(root, "roles").detail; };
    run(root, "ALTER ROLE tickd_ingest NOBYPASSRLS");
    CHECK(detail() == "tickd_ingest lacks BYPASSRLS");
    run(root, "ALTER ROLE tickd_ingest BYPASSRLS; ALTER ROLE tickd_reader BYPASSRLS");
    CHECK(detail() == "tickd_reader has BYPASSRLS");
    run(root, "ALTER ROLE tickd_reader NOBYPASSRLS; ALTER ROLE tickd_owner LOGIN");
    CHECK(detail() == "tickd_owner can log in");
    run(root, "ALTER ROLE tickd_owner NOLOGIN; ALTER ROLE tickd_auditor SUPERUSER");
    CHECK(detail() == "tickd_auditor is a superuser");
    run(root, "ALTER ROLE tickd_auditor NOSUPERUSER");
    CHECK(fixture::check_as(root, "roles").status == check_status::ok);
}

TEST_CASE_METHOD(fixture, "a pending migration fails, with what to do") {
    auto more = std::vector(embedded_migrations().begin(), embedded_migrations().end());
    more.push_back({static_cast<int>(more.size()) + 1, "later", "SELECT 1"});
    const auto checks = check_health(root, more);
    const auto found = std::ranges::find(checks, "migrations", &health_check::name);
    REQUIRE(found != checks.end());
    CHECK(found->status == check_status::fail);
    CHECK(found->detail.find("_later; run `tickd db migrate`") != std::string::npos);
}

TEST_CASE_METHOD(fixture, "chunks that lack an index are found") {
    run(root, "INSERT INTO price_telemetry VALUES ('2024-01-01Z', 'X', 1, 2)");
    const std::string index = one(root,
                                  "SELECT indexrelid::regclass::text FROM pg_index"
                                  " JOIN pg_class c ON c.oid = indrelid WHERE relnamespace ="
                                  " 'tickd_chunks'::regnamespace LIMIT 1");
    CHECK(check("indexes").status == check_status::ok);
    run(root,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '" + index + "'::regclass");
    CHECK(check("indexes").detail == "1 chunks lack an index of their hypertable");
}

TEST_CASE_METHOD(fixture, "the newest tick is found in any chunk, exactly") {
    const auto newest = [&] {
        return one(root,
                   "SELECT to_char(tickd.newest_tick_time() AT TIME ZONE 'UTC',"
                   " 'YYYY-MM-DD HH24:MI:SS.US')");
    };
    CHECK(one(root, "SELECT tickd.newest_tick_time()") == "\\N");
    run(root,
        "INSERT INTO price_telemetry SELECT '2024-03-01Z'::timestamptz + n * interval '1.7s',"
        " 'S' || n % 7, 1, 2 FROM generate_series(1, 60000) n");
    run(root, "INSERT INTO price_telemetry VALUES ('2024-03-02 04:00:00.654321Z', 'X', 1, 2)");
    CHECK(newest() == "2024-03-02 04:20:00.000000");
    run(root, "DELETE FROM price_telemetry WHERE time > '2024-03-02 04:00:01Z'");
    CHECK(newest() == one(root,
                          "SELECT to_char(max(time) AT TIME ZONE 'UTC',"
                          " 'YYYY-MM-DD HH24:MI:SS.US') FROM price_telemetry"));
    // The newest chunk may be empty, and a tick may stand at a chunk's first instant.
    run(root, "DELETE FROM price_telemetry WHERE time > '2024-03-02Z'");
    CHECK(newest() == one(root,
                          "SELECT to_char(max(time) AT TIME ZONE 'UTC',"
                          " 'YYYY-MM-DD HH24:MI:SS.US') FROM price_telemetry"));
    run(root, "INSERT INTO price_telemetry VALUES ('2024-03-02Z', 'X', 1, 2)");
    CHECK(newest() == "2024-03-02 00:00:00.000000");
    CHECK(check("ticks").status == check_status::ok);
    run(root, "INSERT INTO price_telemetry VALUES (now() + interval '150 minutes', 'X', 1, 2)");
    CHECK(check("ticks").detail.starts_with("the newest is 2 h ahead"));
}

TEST_CASE_METHOD(fixture, "dead letters that wait are a warning") {
    run(root,
        "INSERT INTO tickd.dead_letter (received_at, verdict, raw, raw_length)"
        " SELECT now() - interval '5 minutes', 'not_json', '{', 1"
        " FROM generate_series(1, 1234)");
    CHECK(check("dead-letters").status == check_status::warn);
    CHECK(check("dead-letters").detail == "1,234 waiting, the newest came 5 min ago");
    CHECK(exit_code_of(check_health(root, embedded_migrations())) == exit_code::ok);
    run(root, "UPDATE tickd.dead_letter SET replayed_at = now()");
    CHECK(check("dead-letters").detail == "none");
}

TEST_CASE_METHOD(fixture, "the disk is looked at where the server is on this machine") {
    CHECK(check("disk").detail.find(shared_cluster().directory() + "/data") != std::string::npos);
    CHECK(check("disk").detail.find("the database takes ") == 0);
}

TEST_CASE_METHOD(fixture, "a connection that broke is a failure of its own") {
    pg_connection other = connect(conninfo);
    run(root, "SELECT pg_terminate_backend(" + one(other, "SELECT pg_backend_pid()") + ")");
    const auto checks = check_health(other, embedded_migrations());
    REQUIRE(checks.size() == 1);
    CHECK(checks[0].status == check_status::fail);
    CHECK(exit_code_of(checks) == exit_code::check_failed);
}
