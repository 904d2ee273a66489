// Nobody writes another tenant's rows, not even who was granted to write, and no refusal of the
// server tells what it refused for.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <format>

#include "tests/pg/isolation_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

constexpr std::array writes{
    "INSERT INTO {} DEFAULT VALUES",
    "INSERT INTO {0} SELECT * FROM {0}",
    "UPDATE {} SET tenant_id = 'aaaaaaaa-0000-4000-8000-00000000000a'",
    "UPDATE {} SET tenant_id = tenant_id WHERE tenant_id = 'bbbbbbbb-0000-4000-8000-00000000000b'",
    "DELETE FROM {}",
    "DELETE FROM {} RETURNING *",
    "TRUNCATE {}",
    "TRUNCATE {} CASCADE",
    "COPY {} FROM STDIN",
    "MERGE INTO {0} AS t USING {0} AS s ON t.tenant_id = s.tenant_id WHEN MATCHED THEN DELETE",
    "BEGIN; LOCK TABLE {} IN EXCLUSIVE MODE; COMMIT",
    "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "CREATE POLICY mine ON {} USING (true)",
    "DROP POLICY tenant ON {}",
    "CREATE TRIGGER mine BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING",
    "CREATE INDEX ON {} (tenant_id)",
    "GRANT SELECT ON {} TO PUBLIC",
    "COMMENT ON TABLE {} IS 'mine'",
    "VACUUM {}",
    "DROP TABLE {}",
};

std::string count_all(pg_connection& root, const std::vector<std::string>& relations) {
    std::string counts;
    for (const std::string& relation : relations) {
        counts += relation + " " +
                  one(root,
                      "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), ''))"
                      " FROM " +
                          relation + " AS t") +
                  "\n";
    }
    return counts;
}

// A site of its own on which alpha's role has been granted to write portfolios and ticks.
struct writable_site {
    std::string database = fresh_isolation_database();
    pg_connection root = connect(database);

    writable_site() {
        run(root,
            "GRANT INSERT, UPDATE, DELETE ON portfolios, portfolio_positions TO iso_alpha;"
            "GRANT INSERT, UPDATE, DELETE ON price_telemetry TO iso_alpha;"
            "GRANT INSERT ON tenants, tickd.producer TO iso_alpha");
    }
};

}  // namespace

TEST_CASE("nobody who reads writes anything, and no refusal tells of bravo") {
    pg_connection root = connect(isolation_database());
    const auto relations = tenant_relations(root);
    const std::string before = count_all(root, relations);
    for (const onlooker& who : onlookers()) {
        pg_connection session = session_as(isolation_database(), who.role, who.tenant);
        for (const std::string& relation : relations) {
            for (const char* write : writes) {
                const std::string sql = std::vformat(write, std::make_format_args(relation));
                INFO(who.role << ": " << sql);
                const std::string said = everything_said(session, sql);
                CHECK_FALSE(tells_of_bravo(said));
                INFO(said);
                // VACUUM and GRANT only warn; views and hypertables are refused as such.
                CHECK((said.contains("42501") || said.contains("42809") || said.contains("42704") ||
                       said.contains("428C9") || said.contains("55000") || said.contains("0A000") ||
                       said.contains("permission denied") ||
                       said.contains("no privileges were granted")));
            }
        }
    }
    CHECK(count_all(root, relations) == before);
}

TEST_CASE("who may write writes the own tenant's rows alone") {
    const writable_site site;
    pg_connection root = connect(site.database);
    pg_connection alpha = session_as(site.database, "iso_alpha");
    const std::string own = alpha_id, foreign = bravo_id;
    const auto insert_tick = [&](const std::string& tenant) {
        return sqlstate_of(alpha,
                           "INSERT INTO price_telemetry (time, symbol, bid, ask, tenant_id)"
                           " VALUES ('2024-03-02Z', 'X', 1, 2, " +
                               tenant + ")");
    };
    CHECK(insert_tick("'" + own + "'").empty());
    CHECK(insert_tick("'" + foreign + "'") == "42501");
    CHECK(insert_tick("NULL") == "42501");  // shared market data is not a tenant's to make
    CHECK(insert_tick("gen_random_uuid()") == "42501");

    const std::string bravos =
        "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM price_telemetry t"
        " WHERE tenant_id IS DISTINCT FROM '" +
        own + "'";
    const std::string before = one(root, bravos);
    for (const std::string sql :
         {"UPDATE price_telemetry SET bid = 0", "DELETE FROM price_telemetry",
          "UPDATE portfolios SET name = name || '!'", "DELETE FROM portfolio_positions",
          "DELETE FROM portfolios"}) {
        INFO(sql);
        CHECK(sqlstate_of(alpha, sql).empty());
    }
    CHECK(one(root, bravos) == before);
    CHECK(one(root, "SELECT count(*) FROM price_telemetry WHERE tenant_id = $1", {own}) == "0");
    CHECK(one(root, "SELECT count(*) FROM portfolios WHERE tenant_id = $1", {foreign}) == "3");
    CHECK(one(root, "SELECT count(*) FROM portfolios WHERE name LIKE '%!'") == "0");
    CHECK(one(root, "SELECT count(*) FROM portfolio_positions WHERE tenant_id = $1", {foreign}) ==
          "9");
}

TEST_CASE("rows cannot be handed over, and constraints do not echo whom they collided with") {
    const writable_site site;
    pg_connection root = connect(site.database);
    pg_connection alpha = session_as(site.database, "iso_alpha");
    const std::string foreign = bravo_id;
    // Keys, foreign keys and unique names, each against a row of bravo: by its key, which whoever
    // tries it must know already, and with nothing of it in the answer but what was sent.
    struct attempt {
        std::string sql, sqlstate;
    };
    const std::vector<attempt> attempts{
        {"UPDATE portfolios SET tenant_id = (SELECT 'bbbbbbbb-0000-4000-8000-00000000000b'::uuid)",
         "42501"},
        {"INSERT INTO portfolios (portfolio_id, tenant_id, name)"
         " SELECT 'bbbbbbbb-0000-4000-9000-000000000001', tenant_id, 'x' FROM tenants",
         "23505"},
        {"INSERT INTO portfolio_positions (portfolio_id, tenant_id, symbol, quantity, "
         "average_price)"
         " SELECT 'bbbbbbbb-0000-4000-9000-000000000001', tenant_id, 'X', 1, 1 FROM tenants",
         "23503"},
        {"INSERT INTO portfolio_positions (portfolio_id, tenant_id, symbol, quantity, "
         "average_price)"
         " VALUES ('bbbbbbbb-0000-4000-9000-000000000001', 'bbbbbbbb-0000-4000-8000-00000000000b',"
         " 'X', 1, 1)",
         "42501"},
        {"INSERT INTO portfolios (tenant_id, name)"
         " VALUES ('bbbbbbbb-0000-4000-8000-00000000000b', 'bravo book 1')",
         "42501"},
        {"INSERT INTO tenants (tenant_id, name)"
         " VALUES ('aaaaaaaa-0000-4000-8000-00000000000a', 'bravo capital')",
         "23505"},
        {"INSERT INTO portfolios (portfolio_id, tenant_id, name)"
         " SELECT 'bbbbbbbb-0000-4000-9000-000000000001', tenant_id, 'x' FROM tenants"
         " ON CONFLICT (portfolio_id) DO UPDATE SET name = portfolios.name RETURNING *",
         "42501"},
        {"INSERT INTO tickd.producer (producer, tenant_id)"
         " VALUES ('bravo-feed', 'bbbbbbbb-0000-4000-8000-00000000000b')"
         " ON CONFLICT (producer, tenant_id) DO NOTHING RETURNING *",
         "42501"},
    };
    for (const attempt& each : attempts) {
        INFO(each.sql);
        const std::string said = everything_said(alpha, each.sql);
        INFO(said);
        CHECK(said.starts_with(each.sqlstate));
        CHECK_FALSE(said.contains("bravo capital"));
        CHECK_FALSE(said.contains("bravo book"));
        CHECK_FALSE(said.contains("77777"));
        CHECK_FALSE(said.contains("already exists"));
    }
    CHECK(one(root, "SELECT count(*) FROM portfolios WHERE tenant_id = $1", {foreign}) == "3");
    // A removed tenant of one's own takes nothing of others along.
    run(root, "DELETE FROM tenants WHERE tenant_id = '" + std::string(alpha_id) + "'");
    CHECK(one(root, "SELECT count(*) FROM portfolio_positions") == "9");
}

TEST_CASE("the functions that act for others still do, under forced policies") {
    const std::string database = fresh_isolation_database();
    pg_connection root = connect(database);
    pg_connection ingest = session_as(database, "tickd_ingest");
    const std::string epoch = one(ingest, "SELECT tickd.take_lane(7, 'test', 0)");
    run(ingest, "SELECT tickd.settle_batch(7, " + epoch +
                    ", 1, 0, 0, 0, ARRAY['bravo-feed', 'new'], ARRAY['" + bravo_id +
                    "'::uuid, NULL], ARRAY[77777, 0]::bigint[], ARRAY[77778, 5]::bigint[],"
                    " ARRAY[1, 5]::bigint[], ARRAY[1, 5]::bigint[], ARRAY[0, 0]::bigint[],"
                    " ARRAY[0, 0]::bigint[])");
    CHECK(one(ingest, std::string("SELECT tickd.producer_watermark('bravo-feed', '") + bravo_id +
                          "')") == "77778");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('bravo-feed')") == "0");
    CHECK(one(ingest, "SELECT tickd.producer_watermark('new')") == "5");
    CHECK(one(ingest, "SELECT waiting FROM tickd.dead_letters_waiting()") == "50");
    CHECK(one(ingest, "SELECT tickd.newest_tick_time() IS NOT NULL") == "t");
    for (const std::string table : {"price_telemetry", "tickd.producer", "tenants"}) {
        CHECK(sqlstate_of(ingest, "SELECT FROM " + table) == "42501");
    }
    CHECK(copy_sqlstate(ingest,
                        "COPY price_telemetry (time, symbol, bid, ask, tenant_id) FROM STDIN",
                        "2024-03-09 00:00:00Z\tX\t1\t2\t" + std::string(bravo_id) + "\n")
              .empty());
    pg_connection auditor = session_as(database, "tickd_auditor");
    run(auditor, "SET row_security = off");  // would fail if anything were hidden from it
    for (const std::string& relation : tenant_relations(root)) {
        INFO(relation);
        CHECK(one(auditor, "SELECT count(*) FROM " + relation) ==
              one(root, "SELECT count(*) FROM " + relation));
    }
}
