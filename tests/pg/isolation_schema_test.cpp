// What isolation rests on, for everything there is and everything a later migration may add: these
// tests list the catalog and fail for what they do not know.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <format>

#include "tests/pg/isolation_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct fixture {
    pg_connection root = connect(isolation_database());

    std::vector<std::string> column(const std::string& sql) {
        std::vector<std::string> values;
        for (const auto& row : rows(root, sql)) values.push_back(row[0]);
        return values;
    }
};

// What tickd_reader may read of ours: granted to it or to PUBLIC, the table or a column.
constexpr const char* readable_relations =
    "SELECT format('%I.%I', n.nspname, c.relname)"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('public', 'tickd', 'tickd_chunks')"
    "   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    "   AND has_any_column_privilege('tickd_reader', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')";

}  // namespace

TEST_CASE_METHOD(fixture, "every table with a tenant_id has forced policies") {
    const auto tables = column(
        "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        "  AND NOT a.attisdropped"
        " WHERE n.nspname IN ('public', 'tickd') AND c.relkind IN ('r', 'p')");
    CHECK(tables.size() >= 8);
    CHECK(column("SELECT format('%s is not confined: call tickd.confine in its migration',"
                 "              c.oid::regclass)"
                 "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                 "  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
                 "   AND NOT a.attisdropped"
                 " WHERE n.nspname IN ('public', 'tickd') AND c.relkind IN ('r', 'p')"
                 "   AND NOT (c.relrowsecurity AND c.relforcerowsecurity"
                 "            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid"
                 "                         AND p.polname = 'tenant')"
                 "            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid"
                 "                         AND p.polname = 'owner'))")
              .empty());
}

TEST_CASE_METHOD(fixture, "policies are of three kinds and no other") {
    for (const auto& row : rows(root,
                                "SELECT polrelid::regclass, polname, polcmd, polpermissive,"
                                "       polroles::regrole[]::text,"
                                "       coalesce(pg_get_expr(polqual, polrelid), ''),"
                                "       coalesce(pg_get_expr(polwithcheck, polrelid), '')"
                                "  FROM pg_policy")) {
        INFO(row[0] << " " << row[1]);
        const std::string own = "(tenant_id = ( SELECT tickd.current_tenant() AS current_tenant))";
        CHECK(row[3] == "t");
        if (row[1] == "owner") {
            CHECK((row[2] == "*" && row[4] == "{tickd_owner}" && row[5] == "true"));
        } else if (row[1] == "tenant") {
            CHECK((row[2] == "*" && row[4] == "{tickd_reader}" && row[5] == own && row[6] == own));
        } else {
            CHECK(row[1] == "shared");
            CHECK((row[2] == "r" && row[4] == "{tickd_reader}" && row[5] == "(tenant_id IS NULL)"));
        }
    }
    // Shared rows are market data: the tables where no tenant means everybody.
    CHECK(column("SELECT polrelid::regclass FROM pg_policy WHERE polname = 'shared'"
                 " AND polrelid NOT IN (SELECT format('%I.%I', hypertable_schema, hypertable_name)"
                 "                      ::regclass FROM timescaledb_information.hypertables)"
                 " AND polrelid <> 'price_latest'::regclass")
              .empty());
}

TEST_CASE_METHOD(fixture, "what readers may read is confined, or a view that is as its invoker") {
    const auto readable = column(readable_relations);
    CHECK(std::ranges::contains(readable, "public.price_telemetry"));
    CHECK(std::ranges::contains(readable, "public.portfolio_values"));
    for (const std::string& name : readable) {
        INFO(name);
        CHECK(one(root,
                  "SELECT CASE relkind WHEN 'v' THEN 'security_invoker=true' = ANY (reloptions)"
                  "       ELSE relrowsecurity AND relforcerowsecurity END"
                  "  FROM pg_class WHERE oid = $1::regclass",
                  {name}) == "t");
        // And they only read.
        CHECK(
            one(root,
                "SELECT has_any_column_privilege('tickd_reader', $1, 'INSERT, UPDATE, REFERENCES')"
                " OR has_table_privilege('tickd_reader', $1, 'DELETE, TRUNCATE, TRIGGER, "
                "MAINTAIN')",
                {name}) == "f");
    }
}

TEST_CASE_METHOD(fixture, "no grant of a reader reaches a chunk, and no chunk of a later day") {
    run(root,
        "INSERT INTO price_telemetry (time, symbol, bid, ask, tenant_id)"
        " VALUES ('2031-01-01Z', 'BRAVO', 77777, 77777, '" +
            std::string(bravo_id) + "')");
    CHECK(column("SELECT format('%I.%I', chunk_schema, chunk_name)"
                 "  FROM timescaledb_information.chunks")
              .size() > 5);
    for (const std::string role : {"tickd_reader", "iso_alpha", "iso_pool", "iso_stranger"}) {
        INFO(role);
        CHECK(column("SELECT c.relname FROM pg_class c"
                     " WHERE relnamespace = 'tickd_chunks'::regnamespace AND relkind = 'r'"
                     "   AND has_any_column_privilege('" +
                     role + "', oid, 'SELECT, INSERT, UPDATE')")
                  .empty());
        CHECK(one(root, "SELECT has_schema_privilege('" + role + "', 'tickd_chunks', 'USAGE')") ==
              "f");
    }
}

TEST_CASE("chunks that were there before the migration are closed by it") {
    // What confine finds on a database that was in use: chunks that hold the reader's grant.
    const std::string database = fresh_isolation_database(holding::alpha_only);
    pg_connection root = connect(database);
    run(root, "GRANT SELECT ON price_telemetry TO tickd_reader");
    const std::string open =
        "SELECT count(*) > 0 FROM pg_class WHERE relnamespace = 'tickd_chunks'::regnamespace"
        " AND relkind = 'r' AND has_any_column_privilege('tickd_reader', oid, 'SELECT')";
    REQUIRE(one(root, open) == "t");
    run(root,
        "DROP POLICY owner ON price_telemetry; DROP POLICY tenant ON price_telemetry;"
        "DROP POLICY shared ON price_telemetry;"
        "BEGIN; SET LOCAL ROLE tickd_owner;"
        "SELECT tickd.confine('public.price_telemetry', shared => true); COMMIT");
    CHECK(one(root, open) == "f");
    pg_connection alpha = session_as(database, "iso_alpha");
    CHECK(one(alpha, "SELECT count(*) FROM price_telemetry") == "350");
}

TEST_CASE_METHOD(fixture,
                 "functions that readers may run are these, and none gives rows of others") {
    CHECK(column("SELECT p.oid::regprocedure::text FROM pg_proc p"
                 " WHERE p.pronamespace IN ('tickd'::regnamespace, 'public'::regnamespace)"
                 "   AND has_function_privilege('tickd_reader', p.oid, 'EXECUTE')"
                 "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid"
                 "                    AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')"
                 "   AND p.proname NOT IN ('activity_row_bytes', 'activity_row_hash',"
                 "                         'current_tenant', 'dictionary_entry')"
                 // These run as whoever calls them, under his policies.
                 "   AND (p.prosecdef OR p.proname NOT IN ('tick_aggregate', 'tick_candles',"
                 "        'tick_latest', 'uneven_times', 'row_candles', 'row_aggregate'))")
              .empty());
}

TEST_CASE_METHOD(fixture, "a policy asks for the tenant once a query, not once a row") {
    pg_connection alpha = session_as(isolation_database(), "iso_alpha");
    for (const std::string& name : column(readable_relations)) {
        std::string plan;
        for (const auto& row : rows(alpha, "EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM " + name)) {
            plan += row[0] + "\n";
        }
        INFO(plan);
        CHECK(plan.contains("InitPlan"));
        for (std::size_t at = plan.find("Filter: "); at != std::string::npos;
             at = plan.find("Filter: ", at + 1)) {
            CHECK_FALSE(plan.substr(at, plan.find('\n', at) - at).contains("current_tenant"));
        }
    }
    // Counted, too: 350 visible rows of price_telemetry, one call.
    run(root, "SELECT pg_stat_reset()");
    run(root, "SET track_functions = 'all'");
    run(root, "SET SESSION AUTHORIZATION iso_alpha");
    CHECK(std::stoi(one(root, "SELECT count(*) FROM price_telemetry")) >= 350);
    run(root, "RESET SESSION AUTHORIZATION");
    run(root, "SELECT pg_stat_force_next_flush()");
    CHECK(one(root, "SELECT calls FROM pg_stat_user_functions WHERE funcname = 'current_tenant'") ==
          "1");
}

TEST_CASE_METHOD(fixture, "the tenant is the session's own, by no other means") {
    const auto tenant = [](pg_connection& session) {
        return one(session, "SELECT tickd.current_tenant()");
    };
    pg_connection alpha = session_as(isolation_database(), "iso_alpha", bravo_id);
    CHECK(tenant(alpha) == alpha_id);
    run(alpha, "SET ROLE tickd_reader");
    CHECK(tenant(alpha) == alpha_id);
    run(alpha, "SET debug_parallel_query = on");
    CHECK(tenant(alpha) == alpha_id);  // the same in a parallel worker

    pg_connection pool = session_as(isolation_database(), "iso_pool");
    CHECK(tenant(pool) == "\\N");
    run(pool, "SET tickd.tenant = '" + std::string(alpha_id) + "'");
    CHECK(tenant(pool) == alpha_id);
    run(pool, "SET debug_parallel_query = on");
    CHECK(tenant(pool) == alpha_id);
    run(pool, "BEGIN; SET LOCAL tickd.tenant = '" + std::string(bravo_id) + "'");
    CHECK(tenant(pool) == bravo_id);
    run(pool, "COMMIT");
    CHECK(tenant(pool) == alpha_id);
    run(pool, "RESET tickd.tenant");
    CHECK(tenant(pool) == "\\N");
    run(pool, "BEGIN; SET LOCAL tickd.tenant = '" + std::string(bravo_id) + "'; ROLLBACK");
    CHECK(tenant(pool) == "\\N");
    for (const std::string malformed : {"''", "'bravo'", "'{'", "'NULL'", "E'\\u0001'"}) {
        INFO(malformed);
        run(pool, "SET tickd.tenant = " + malformed);
        CHECK(tenant(pool) == "\\N");
    }
}
