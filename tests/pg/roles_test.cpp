// What each role can do and cannot, tried as that role.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

const std::string& database() {
    static const std::string conninfo = migrated_database(shared_cluster());
    return conninfo;
}

pg_connection connect_as(const std::string& role) { return connect(as_user(database(), role)); }

// A session that has become a role that cannot log in.
pg_connection become(const std::string& role) {
    pg_connection connection = connect(database());
    run(connection, "SET SESSION AUTHORIZATION " + role);
    return connection;
}

constexpr const char* copy_ticks = "COPY price_telemetry (time, symbol, bid, ask) FROM STDIN";
constexpr const char* denied = "42501";

}  // namespace

TEST_CASE("ingest copies ticks, and chunks appear in their own schema") {
    pg_connection ingest = connect_as("tickd_ingest");
    pg_connection root = connect(database());
    const std::string chunks =
        "SELECT count(*) FROM pg_class WHERE relnamespace ="
        " 'tickd_chunks'::regnamespace AND relkind = 'r'";
    const int before = std::stoi(one(root, chunks));
    CHECK(copy_sqlstate(ingest, copy_ticks,
                        "2001-02-03 04:05:06.000007Z\tROLES\t1.1\t1.2\n"
                        "2001-02-04 04:05:06.000007Z\tROLES\t-1.1\t0.00000001\n")
              .empty());
    CHECK(std::stoi(one(root, chunks)) == before + 2);
    CHECK(one(root, "SELECT count(*) FROM price_telemetry WHERE symbol = 'ROLES'") == "2");
    // The chunks belong to the owner, not to who caused them.
    CHECK(one(root,
              "SELECT count(*) FROM pg_class WHERE relnamespace ="
              " 'tickd_chunks'::regnamespace"
              " AND pg_get_userbyid(relowner) <> 'tickd_owner'") == "0");
}

TEST_CASE("ingest copies under row security, because it bypasses it") {
    const std::string conninfo = migrated_database(shared_cluster());
    {
        pg_connection root = connect(conninfo);
        run(root,
            "ALTER TABLE price_telemetry ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
    }
    pg_connection ingest = connect(as_user(conninfo, "tickd_ingest"));
    CHECK(copy_sqlstate(ingest, copy_ticks, "2024-01-01 00:00:00Z\tRLS\t1\t2\n").empty());
}

TEST_CASE("ingest copies activity and dead letters") {
    pg_connection ingest = connect_as("tickd_ingest");
    const std::string first = one(ingest, "SELECT tickd.reserve_activity_ids(1)");
    CHECK(copy_sqlstate(ingest,
                        "COPY unified_activity_log (id, timestamp, action_type, action_payload,"
                        " hash_sha256, created_at) FROM STDIN",
                        first + "\t2024-01-01 00:00:00Z\tx\t{}\t" + std::string(64, 'a') +
                            "\t2024-01-01 00:00:00Z\n")
              .empty());
    CHECK(copy_sqlstate(ingest,
                        "COPY tickd.dead_letter (received_at, verdict, raw, raw_length) FROM STDIN",
                        "2024-01-01 00:00:00Z\tnot_json\t\\\\x7b\t1\n")
              .empty());
}

TEST_CASE("ingest inserts and does nothing else") {
    pg_connection ingest = connect_as("tickd_ingest");
    for (const std::string table :
         {"price_telemetry", "unified_activity_log", "tickd.dead_letter", "tickd.batch_ledger",
          "tickd.producer", "tickd.lane", "tickd.spool", "tenants", "portfolios", "tenant_roles"}) {
        INFO(table);
        CHECK(sqlstate_of(ingest, "SELECT * FROM " + table) == denied);
        CHECK(sqlstate_of(ingest, "DELETE FROM " + table) == denied);
        CHECK(sqlstate_of(ingest, "TRUNCATE " + table) == denied);
    }
    CHECK(sqlstate_of(ingest, "UPDATE price_telemetry SET bid = 0") == denied);
    CHECK(sqlstate_of(ingest, "UPDATE unified_activity_log SET hash_sha256 = ''") == denied);
    CHECK(sqlstate_of(ingest, "INSERT INTO tickd.batch_ledger VALUES (0,0,0,now(),0,0,0)") ==
          denied);
    CHECK(sqlstate_of(ingest, "SELECT nextval('unified_activity_log_id_seq')") == denied);
    CHECK(sqlstate_of(ingest, "CREATE TABLE public.mine (n int)") == denied);
    CHECK(sqlstate_of(ingest, "CREATE TABLE tickd.mine (n int)") == denied);
    CHECK(sqlstate_of(ingest, "SET ROLE tickd_owner") == denied);
}

TEST_CASE("a reader sees the hypertable and never a chunk") {
    {
        pg_connection ingest = connect_as("tickd_ingest");
        REQUIRE(copy_sqlstate(ingest, copy_ticks, "2003-01-01 00:00:00Z\tREAD\t1\t2\n").empty());
    }
    pg_connection root = connect(database());
    run(root,
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'some_tenant')"
        " THEN CREATE ROLE some_tenant LOGIN IN ROLE tickd_reader; END IF; END $$");
    const text_rows chunks = rows(root,
                                  "SELECT format('%I.%I', chunk_schema, chunk_name)"
                                  " FROM timescaledb_information.chunks");
    REQUIRE_FALSE(chunks.empty());

    pg_connection tenant = connect_as("some_tenant");
    CHECK(one(tenant, "SELECT count(*) FROM price_telemetry WHERE symbol = 'READ'") == "1");
    for (const auto& chunk : chunks) {
        INFO(chunk[0]);
        CHECK(sqlstate_of(tenant, "SELECT * FROM " + chunk[0]) == denied);
        CHECK(sqlstate_of(tenant, "COPY " + chunk[0] + " TO STDOUT") == denied);
    }
    for (const std::string table : {"tickd.lane", "tickd.batch_ledger", "tickd.tickd_migrations"}) {
        INFO(table);
        CHECK(sqlstate_of(tenant, "SELECT * FROM " + table) == denied);
    }
    CHECK(sqlstate_of(tenant, "INSERT INTO price_telemetry VALUES (now(), 'X', 1, 2)") == denied);
    CHECK(sqlstate_of(tenant, "SELECT tickd.reserve_activity_ids(1)") == denied);
}

TEST_CASE("the auditor reads all and writes nothing") {
    pg_connection auditor = connect_as("tickd_auditor");
    for (const std::string table :
         {"price_telemetry", "unified_activity_log", "tenants", "tenant_roles", "portfolios",
          "portfolio_positions", "tickd.dead_letter", "tickd.batch_ledger", "tickd.producer",
          "tickd.lane", "tickd.spool", "tickd.tickd_migrations"}) {
        INFO(table);
        CHECK(sqlstate_of(auditor, "SELECT count(*) FROM " + table).empty());
    }
    // Not even once it lifts its own read-only default.
    CHECK(sqlstate_of(auditor, "DELETE FROM price_telemetry") == "25006");
    run(auditor, "SET default_transaction_read_only = off");
    CHECK(sqlstate_of(auditor, "DELETE FROM price_telemetry") == denied);
    CHECK(sqlstate_of(auditor, "INSERT INTO price_telemetry VALUES (now(), 'X', 1, 2)") == denied);
    CHECK(sqlstate_of(auditor, "SELECT tickd.take_lane(0, 'me', 0)") == denied);
}

TEST_CASE("nobody but the owner may update or delete, or run what PUBLIC would") {
    pg_connection root = connect(database());
    CHECK(rows(root,
               "SELECT format('%s %s', c.relname, a.*) FROM pg_class c"
               " CROSS JOIN LATERAL aclexplode(c.relacl) a"
               " WHERE c.relnamespace IN ('tickd'::regnamespace, 'public'::regnamespace,"
               " 'tickd_chunks'::regnamespace) AND c.relkind = 'r'"
               " AND pg_get_userbyid(c.relowner) = 'tickd_owner'"
               " AND a.grantee <> c.relowner"
               " AND a.privilege_type NOT IN ('SELECT', 'INSERT')"
               // The compactor replaces segments, and merges what is made from them.
               " AND NOT (a.grantee = 'tickd_compactor'::regrole AND (c.relname IN"
               "          ('price_segment', 'price_candle_1m', 'price_latest')"
               "          OR c.relnamespace = 'tickd_chunks'::regnamespace))")
              .empty());
    CHECK(rows(root,
               "SELECT proname FROM pg_proc WHERE pronamespace = 'tickd'::regnamespace"
               " AND has_function_privilege('public', oid, 'EXECUTE')")
              .empty());
    // Every function that acts as the owner pins its search path, with pg_temp last.
    CHECK(rows(root,
               "SELECT proname FROM pg_proc WHERE pronamespace = 'tickd'::regnamespace"
               " AND prosecdef AND NOT coalesce("
               " 'search_path=pg_catalog, pg_temp' = ANY (proconfig), false)")
              .empty());
    pg_connection reader = become("tickd_reader");
    CHECK(sqlstate_of(reader, "UPDATE price_telemetry SET bid = 1") == denied);
}
