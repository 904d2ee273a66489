// Every table and view, read in every way, by everybody who must not see bravo's rows.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <format>

#include "tests/pg/isolation_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct fixture {
    pg_connection root = connect(isolation_database());
    std::vector<std::string> relations = tenant_relations(root);

    // What the onlooker should get of a relation that it may read: the same, asked as superuser.
    std::string truth(const std::string& relation, const onlooker& who) {
        const bool shared = relation == "public.price_telemetry";
        return std::format("SELECT * FROM {} WHERE ({}tenant_id = '{}')", relation,
                           shared ? "tenant_id IS NULL OR " : "",
                           who.is_alpha ? alpha_id : "00000000-0000-0000-0000-000000000000");
    }
    std::string sorted(pg_connection& as, const std::string& sql) {
        text_rows all = rows(as, sql);
        std::ranges::sort(all);
        std::string text;
        for (const auto& row : all) {
            for (const auto& value : row) text += value + "\t";
            text += "\n";
        }
        return text;
    }
};

bool readable(pg_connection& as, const std::string& relation) {
    return sqlstate_of(as, "SELECT FROM " + relation + " LIMIT 0").empty();
}

// The ways; {} is the relation.
constexpr std::array ways{
    "SELECT * FROM {}",
    "SELECT t, to_jsonb(t), t.ctid, t.tableoid::regclass FROM {} AS t",
    "SELECT count(*), count(tenant_id), min(tenant_id::text), max(tenant_id::text) FROM {}",
    "SELECT string_agg(t::text, ';') FROM {} AS t",
    "COPY (SELECT * FROM {}) TO STDOUT",
    "COPY (SELECT * FROM {}) TO STDOUT (FORMAT csv, HEADER)",
    "COPY {} TO STDOUT",
    "TABLE {}",
    "SELECT * FROM {} TABLESAMPLE SYSTEM (100)",
    "SELECT * FROM ONLY {}",
    "SELECT a.* FROM {0} AS a FULL JOIN {0} AS b ON true LIMIT 100000",
    "SELECT t.*, u.* FROM tenants AS u LEFT JOIN {} AS t USING (tenant_id)",
    "SELECT t.* FROM portfolios AS p RIGHT JOIN {} AS t ON p.tenant_id <> t.tenant_id",
    "SELECT (SELECT string_agg(t::text, ',') FROM {} AS t)",
    "SELECT 1 WHERE EXISTS (SELECT FROM {} WHERE tenant_id::text LIKE 'bbbb%')",
    "SELECT * FROM {} WHERE tenant_id = 'bbbbbbbb-0000-4000-8000-00000000000b'",
    "SELECT * FROM {} AS t WHERE t::text LIKE '%bravo%' OR t::text LIKE '%77777%'",
    "SELECT * FROM {} WHERE tenant_id IS NULL OR true OR tenant_id IS NOT NULL",
    "WITH RECURSIVE w AS (SELECT * FROM {0} UNION SELECT * FROM w) SELECT * FROM w",
    "WITH w AS MATERIALIZED (SELECT * FROM {}) SELECT * FROM w",
    "SELECT tenant_id, count(*) OVER (), rank() OVER (ORDER BY tenant_id) FROM {}",
    "SELECT tenant_id, count(*) FROM {} GROUP BY GROUPING SETS ((tenant_id), ())",
    "SELECT * FROM {0} EXCEPT SELECT * FROM {0} WHERE false",
    "SELECT l.* FROM generate_series(1, 2) AS g, LATERAL (SELECT * FROM {}) AS l",
    "BEGIN; DECLARE c CURSOR FOR SELECT * FROM {}; FETCH ALL FROM c; COMMIT",
    "PREPARE w AS SELECT * FROM {}; EXECUTE w; DEALLOCATE w",
    "SET plan_cache_mode = force_generic_plan; PREPARE w (uuid) AS SELECT * FROM {} WHERE tenant_id"
    " = $1; EXECUTE w ('bbbbbbbb-0000-4000-8000-00000000000b'); DEALLOCATE w;"
    " RESET plan_cache_mode",
    "CREATE TEMPORARY TABLE mine AS SELECT * FROM {}; SELECT * FROM mine; DROP TABLE mine",
    "CREATE TEMPORARY VIEW mine AS SELECT * FROM {}; SELECT * FROM mine; DROP VIEW mine",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM {} LOOP RAISE NOTICE '%', r; END LOOP;"
    " END $$",
    "SELECT query_to_xml('SELECT * FROM {}', true, true, '')",
    "SELECT table_to_xml('{}', true, true, '')",
    "SET debug_parallel_query = on; SELECT * FROM {}; RESET debug_parallel_query",
    "SET enable_seqscan = off; SELECT * FROM {}; RESET enable_seqscan",
    "SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT * FROM {};"
    " RESET enable_indexscan; RESET enable_bitmapscan",
    "EXPLAIN (VERBOSE) SELECT * FROM {}",
    "EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM {} AS t WHERE t::text <> ''",
    "SET row_security = off; SELECT * FROM {}",
    "SET row_security = off; COPY {} TO STDOUT",
    "RESET row_security; SET ROLE tickd_reader; SELECT * FROM {}; RESET ROLE",
    "SET ROLE iso_other; SELECT * FROM {}",
    "SET ROLE tickd_owner; SELECT * FROM {}",
    "SET SESSION AUTHORIZATION iso_other; SELECT * FROM {}",
    "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; SELECT * FROM {}",
    "LOCK TABLE {} IN ACCESS SHARE MODE",
    "SELECT * FROM {} FOR UPDATE",
    "SELECT * FROM {} FOR KEY SHARE",
};

}  // namespace

TEST_CASE_METHOD(fixture, "the test itself would see bravo's rows") {
    for (const std::string& relation : relations) {
        INFO(relation);
        CHECK(tells_of_bravo(everything_said(root, "SELECT * FROM " + relation)));
    }
    pg_connection bravo = session_as(isolation_database(), "iso_other");
    CHECK(tells_of_bravo(everything_said(bravo, "SELECT * FROM price_telemetry")));
    pg_connection pool = session_as(isolation_database(), "iso_pool", bravo_id);
    CHECK(tells_of_bravo(everything_said(pool, "SELECT * FROM portfolio_values")));
}

TEST_CASE_METHOD(fixture, "everybody gets the rows of the own tenant, all of them and no other") {
    std::size_t read = 0;
    for (const onlooker& who : onlookers()) {
        pg_connection session = session_as(isolation_database(), who.role, who.tenant);
        for (const std::string& relation : relations) {
            if (!readable(session, relation)) continue;
            ++read;
            INFO(who.role << " with '" << who.tenant << "' reads " << relation);
            const std::string got = sorted(session, "SELECT * FROM " + relation);
            CHECK(got == sorted(root, truth(relation, who)));
            if (who.is_alpha) CHECK(got.contains(alpha_id));
        }
    }
    CHECK(read > 50);
}

TEST_CASE_METHOD(fixture, "no way of reading tells of bravo") {
    for (const onlooker& who : onlookers()) {
        pg_connection session = session_as(isolation_database(), who.role, who.tenant);
        for (const std::string& relation : relations) {
            for (const char* way : ways) {
                const std::string sql = std::vformat(way, std::make_format_args(relation));
                // Its own statement comes back in no message, so a mark in it is no finding.
                const std::string said = everything_said(session, sql);
                if (!tells_of_bravo(said)) continue;
                // EXPLAIN prints the condition that was asked with; nothing else may.
                INFO(who.role << " with '" << who.tenant << "': " << sql << "\n" << said);
                CHECK(false);
            }
            (void)everything_said(session,
                                  "RESET ROLE; RESET row_security; DISCARD TEMP; RESET"
                                  " plan_cache_mode; DEALLOCATE ALL");
        }
    }
}

TEST_CASE_METHOD(fixture, "row_security = off is refused, not obeyed") {
    for (const onlooker& who : onlookers()) {
        pg_connection session = session_as(isolation_database(), who.role, who.tenant);
        run(session, "SET row_security = off");
        for (const std::string& relation : relations) {
            INFO(who.role << " " << relation);
            CHECK(sqlstate_of(session, "SELECT * FROM " + relation) == "42501");
        }
    }
}

TEST_CASE_METHOD(fixture, "a pooler's prepared statement follows the tenant it is run for") {
    pg_connection pool = session_as(isolation_database(), "iso_pool");
    for (const std::string mode : {"force_generic_plan", "force_custom_plan"}) {
        run(pool, "SET plan_cache_mode = " + mode);
        run(pool, "PREPARE mine AS SELECT DISTINCT tenant_id FROM portfolios");
        for (int again = 0; again < 2; ++again) {
            for (const std::string id : {alpha_id, bravo_id}) {
                run(pool, "BEGIN; SET LOCAL tickd.tenant = '" + id + "'");
                CHECK(one(pool, "EXECUTE mine") == id);
                run(pool, "COMMIT");
                CHECK(rows(pool, "EXECUTE mine").empty());
            }
        }
        run(pool, "DEALLOCATE mine");
    }
}

TEST_CASE_METHOD(fixture, "a cursor keeps to the tenant it was opened for") {
    pg_connection pool = session_as(isolation_database(), "iso_pool", alpha_id);
    run(pool, "BEGIN; DECLARE c CURSOR FOR SELECT DISTINCT tenant_id FROM tickd.dead_letter");
    run(pool, "SET tickd.tenant = 'nobody'");
    CHECK_FALSE(tells_of_bravo(everything_said(pool, "FETCH ALL FROM c")));
}

TEST_CASE_METHOD(fixture, "portfolios are valued at the newest mid that their tenant may see") {
    const std::string value =
        "SELECT p.portfolio_id, sum(p.quantity * (SELECT mid FROM price_telemetry t"
        "  WHERE t.symbol = p.symbol AND (t.tenant_id IS NULL OR t.tenant_id = p.tenant_id)"
        "  ORDER BY time DESC LIMIT 1)) FROM portfolio_positions p WHERE tenant_id = '" +
        std::string(alpha_id) + "' GROUP BY 1 ORDER BY 1";
    const text_rows truth = rows(root, value);
    REQUIRE(truth.size() == 3);
    const std::string asked =
        "SELECT portfolio_id, value FROM portfolio_values WHERE tenant_id = '" +
        std::string(alpha_id) + "' ORDER BY 1";
    pg_connection alpha = session_as(isolation_database(), "iso_alpha");
    CHECK(rows(alpha, asked) == truth);
    // Who sees all ticks values it no differently.
    pg_connection auditor = session_as(isolation_database(), "tickd_auditor");
    CHECK(rows(auditor, asked) == truth);
    CHECK(rows(alpha, "SELECT * FROM portfolio_values").size() == 3);
    CHECK(one(alpha, "SELECT bool_and(positions = 3 AND priced = 3) FROM portfolio_values") == "t");
}
