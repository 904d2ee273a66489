// Ways around a policy rather than through it: functions and operators that tell what they are
// given, errors that depend on rows nobody may see, statistics, catalogs, chunks by name,
// sequences.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <format>

#include "tests/pg/isolation_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct fixture {
    pg_connection root = connect(isolation_database());

    static pg_connection open(const onlooker& who) {
        return session_as(isolation_database(), who.role, who.tenant);
    }
};

void check_silent(pg_connection& session, const onlooker& who, const std::string& sql) {
    const std::string said = everything_said(session, sql);
    INFO(who.role << " with '" << who.tenant << "': " << sql << "\n" << said);
    CHECK_FALSE(tells_of_bravo(said));
}

}  // namespace

TEST_CASE_METHOD(fixture, "a function of one's own in WHERE is shown no foreign row") {
    // Cheap, so that the planner would call it first if it were allowed to.
    const std::string make =
        "CREATE FUNCTION pg_temp.tell(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE 'seen %', $1; RETURN true; END $$;"
        "CREATE FUNCTION pg_temp.same(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE 'seen % %', $1, $2; RETURN true; END $$";
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        run(session, make);
        for (const std::string& relation : tenant_relations(root)) {
            for (const char* where : {"pg_temp.tell(t)", "pg_temp.tell(t.tenant_id)",
                                      "pg_temp.same(t.tenant_id::text, 'x')",
                                      "pg_temp.tell(t.tenant_id) OR t.tenant_id IS NULL",
                                      "(CASE WHEN pg_temp.tell(t) THEN 1 ELSE 0 END) = 1",
                                      "EXISTS (SELECT WHERE pg_temp.tell(t.tenant_id))"}) {
                check_silent(session, who,
                             std::format("SELECT count(*) FROM {} AS t WHERE {}", relation, where));
            }
            check_silent(session, who,
                         std::format("SELECT count(*) FROM {0} AS t JOIN {0} AS u"
                                     " ON pg_temp.same(t.tenant_id::text, u.tenant_id::text)",
                                     relation));
        }
    }
}

TEST_CASE_METHOD(fixture, "alpha's own function is called, so the test above means something") {
    pg_connection alpha = session_as(isolation_database(), "iso_alpha");
    run(alpha,
        "CREATE FUNCTION pg_temp.tell(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE 'seen %', $1; RETURN true; END $$");
    CHECK(everything_said(alpha, "SELECT count(*) FROM portfolios AS t WHERE pg_temp.tell(t)")
              .contains("alpha book 1"));
}

TEST_CASE_METHOD(fixture, "an error depends on visible rows alone") {
    // Each would fail, or print a value, if it met a row of bravo.
    constexpr std::array probes{
        "SELECT count(*) FROM price_telemetry WHERE 1 / (bid - 77777) IS NOT NULL",
        "SELECT count(*) FROM price_telemetry WHERE (CASE WHEN bid >= 70000 THEN source ELSE '1' "
        "END)"
        "::int > 0",
        "SELECT count(*) FROM portfolios WHERE (CASE WHEN tenant_id::text LIKE 'bb%' THEN name ELSE"
        " '1' END)::int > 0",
        "SELECT count(*) FROM portfolio_positions WHERE sqrt(70000 - quantity) IS NOT NULL",
        "SELECT count(*) FROM unified_activity_log WHERE (CASE WHEN agent_id = 'bravo-agent' THEN"
        " agent_id ELSE '1' END)::int > 0",
        "SELECT count(*) FROM tickd.dead_letter WHERE 1 / (seq - 77778) IS NOT NULL",
        "SELECT count(*) FROM tickd.producer WHERE 1 / (watermark - 77777) IS NOT NULL",
        "SELECT count(*) FROM tenants WHERE (CASE WHEN name LIKE 'bravo%' THEN name ELSE '1' END)"
        "::int > 0",
        "SELECT count(*) FROM tenant_roles WHERE (CASE WHEN role_name = 'iso_other' THEN"
        " role_name::text ELSE '1' END)::int > 0",
    };
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        for (const char* sql : probes) {
            INFO(who.role << " with '" << who.tenant << "': " << sql);
            const std::string state = sqlstate_of(session, sql);
            CHECK((state.empty() || (who.role == "iso_stranger" && state == "42501")));
            CHECK_FALSE(sqlstate_of(root, sql).empty());  // who sees all rows does meet it
        }
    }
}

TEST_CASE_METHOD(fixture, "every chunk is closed, by whatever name") {
    const text_rows chunks = rows(root,
                                  "SELECT format('%I.%I', chunk_schema, chunk_name), c.oid"
                                  "  FROM timescaledb_information.chunks"
                                  "  JOIN pg_class c ON c.relname = chunk_name");
    REQUIRE(chunks.size() > 5);
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        for (const auto& chunk : chunks) {
            for (const char* sql :
                 {"SELECT * FROM {}", "SELECT count(*) FROM {}", "COPY {} TO STDOUT", "TABLE {}",
                  "EXPLAIN SELECT * FROM {}", "SELECT * FROM {} TABLESAMPLE SYSTEM (10)",
                  "INSERT INTO {} SELECT * FROM {}", "DELETE FROM {}",
                  "BEGIN; LOCK TABLE {}; COMMIT", "ANALYZE {}",
                  "SELECT query_to_xml('SELECT * FROM {}', true, true, '')",
                  "SET search_path = tickd_chunks; SELECT * FROM {}; RESET search_path"}) {
                std::string text = sql;
                for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}")) {
                    text.replace(at, 2, chunk[0]);
                }
                INFO(who.role << ": " << text);
                CHECK(everything_said(session, text).contains("42501"));
            }
            check_silent(session, who,
                         "SELECT table_to_xml(" + chunk[1] +
                             "::oid::regclass, true,"
                             " true, '')");
        }
    }
}

TEST_CASE_METHOD(fixture, "no catalog, statistic or view of the system shows a value of bravo's") {
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        // Everything of the system's that this session may read, whole.
        const text_rows views =
            rows(session,
                 "SELECT format('%I.%I', n.nspname, c.relname), c.relname ~ '^pg_stat(io)?_'"
                 "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                 " WHERE (n.nspname IN ('pg_catalog', 'information_schema')"
                 "        OR n.nspname LIKE '%timescaledb%')"
                 "   AND c.relkind IN ('r', 'v', 'm')"
                 "   AND has_schema_privilege(n.oid, 'USAGE')"
                 "   AND has_any_column_privilege(c.oid, 'SELECT')");
        REQUIRE(views.size() > 150);
        for (const auto& view : views) {
            const std::string sql = "SELECT * FROM " + view[0];
            if (view[1] != "t") {
                check_silent(session, who, sql);
                continue;
            }
            // What the server counts passes by every number, bravo's too.
            const std::string said = everything_said(session, sql);
            INFO(who.role << ": " << sql);
            for (const char* mark : {"bravo", "BRAVO", "bbbbbbbb"}) CHECK(!said.contains(mark));
        }
    }
}

TEST_CASE_METHOD(fixture, "statistics of chunks tell readers nothing, though they hold values") {
    REQUIRE(everything_said(root, "SELECT * FROM pg_stats WHERE schemaname = 'tickd_chunks'")
                .contains("BRAVO"));
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        INFO(who.role);
        CHECK(one(session,
                  "SELECT count(*) FROM pg_stats WHERE schemaname IN ('tickd_chunks', 'tickd')"
                  " OR tablename IN ('price_telemetry', 'unified_activity_log', 'portfolios',"
                  " 'portfolio_positions', 'tenants', 'tenant_roles')") == "0");
        CHECK(sqlstate_of(session, "SELECT * FROM pg_statistic") == "42501");
    }
}

TEST_CASE_METHOD(fixture, "sequences and the functions of the daemon are closed") {
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        INFO(who.role);
        for (const std::string sequence :
             {"public.unified_activity_log_id_seq", "tickd.dead_letter_id_seq"}) {
            CHECK(sqlstate_of(session, "SELECT last_value FROM " + sequence) == "42501");
            CHECK(sqlstate_of(session, "SELECT nextval('" + sequence + "')") == "42501");
            CHECK(sqlstate_of(session, "SELECT setval('" + sequence + "', 1)") == "42501");
            CHECK(sqlstate_of(session, "SELECT currval('" + sequence + "')") == "42501");
        }
        CHECK(one(session,
                  "SELECT count(last_value) FROM pg_sequences WHERE schemaname IN ('public',"
                  " 'tickd')") == "0");
        // Sub-selects: a strict function of a plain NULL is never called, and nobody is refused.
        for (const auto& function :
             rows(root,
                  "SELECT format('%s(%s)', p.oid::regproc,"
                  "              (SELECT string_agg('(SELECT NULL::' || t::regtype || ')', ', ')"
                  "                 FROM unnest(p.proargtypes) AS t))"
                  "  FROM pg_proc p WHERE p.pronamespace = 'tickd'::regnamespace"
                  "   AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype"
                  "   AND p.prorettype <> 'event_trigger'::regtype"
                  "   AND p.proname NOT IN ('activity_row_bytes', 'activity_row_hash',"
                  "                         'current_tenant', 'uneven_times', 'row_candles', "
                  "                         'row_aggregate', 'dictionary_entry')")) {
            INFO(function[0]);
            CHECK(sqlstate_of(session, "SELECT " + function[0]) == "42501");
        }
    }
}

TEST_CASE_METHOD(fixture, "what a row type is cast to hides no row either") {
    for (const onlooker& who : onlookers()) {
        pg_connection session = open(who);
        for (const char* sql :
             {"SELECT tickd.activity_row_hash(l) FROM unified_activity_log l",
              "SELECT tickd.activity_row_bytes(id, timestamp, agent_id, action_type,"
              " action_payload, user_id, session_id, metadata, created_at, tenant_id)"
              " FROM unified_activity_log",
              "SELECT * FROM tick_aggregate('BRAVO', '2024-01-01', '2025-01-01')",
              "SELECT * FROM tick_aggregate('EURUSD', '2024-01-01', '2025-01-01')",
              "SELECT * FROM tick_candles('BRAVO', '2024-01-01', '2025-01-01')",
              "SELECT * FROM tick_candles('EURUSD', '2024-01-01', '2025-01-01', '1 day')",
              "SELECT * FROM tick_latest('BRAVO')", "SELECT * FROM tick_latest('EURUSD')",
              "SELECT database_to_xml(true, true, '')",
              "SELECT schema_to_xml('public', true, true, '')",
              "SELECT schema_to_xml('tickd', true, true, '')"}) {
            check_silent(session, who, sql);
        }
    }
}
