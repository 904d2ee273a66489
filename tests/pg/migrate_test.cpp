// The migrator against a real server, with the real migrations and with made-up ones.
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>

#include "daemon/db/migrator.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

std::expected<int, migration_failure> run_all(pg_connection& connection,
                                              std::span<const embedded_migration> files) {
    return migrate(connection, files, [](const embedded_migration&) {});
}

// The real migrations, and further ones after them.
std::vector<embedded_migration> with_more(std::initializer_list<std::string_view> sql) {
    const auto real = embedded_migrations();
    std::vector<embedded_migration> files(real.begin(), real.end());
    for (const std::string_view each : sql) {
        files.push_back({static_cast<int>(files.size()) + 1, "made_up", each});
    }
    return files;
}

std::string count_applied(pg_connection& connection) {
    return one(connection, "SELECT count(*) FROM tickd.tickd_migrations");
}

}  // namespace

TEST_CASE("an empty database is migrated once") {
    pg_connection connection = connect(fresh_database(shared_cluster()));
    const auto files = embedded_migrations();
    REQUIRE(files.size() >= 8);

    REQUIRE(read_applied(connection).value().empty());
    std::vector<int> heard;
    const auto first =
        migrate(connection, files, [&](const auto& file) { heard.push_back(file.number); });
    REQUIRE(first.has_value());
    CHECK(*first == static_cast<int>(files.size()));
    CHECK(heard.size() == files.size());
    CHECK(count_applied(connection) == std::to_string(files.size()));
    CHECK(one(connection, "SELECT checksum FROM tickd.tickd_migrations WHERE number = 1") ==
          one(connection, "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')",
              {std::string(files[0].sql)}));

    const auto second = run_all(connection, files);
    REQUIRE(second.has_value());
    CHECK(*second == 0);
    // The lock is given back.
    CHECK(one(connection,
              "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
              " AND pid = pg_backend_pid()") == "0");
}

TEST_CASE("the mission's tables have the mission's columns") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    const auto columns = [&](const std::string& table) {
        return one(connection,
                   "SELECT string_agg(format('%s %s%s', attname, format_type(atttypid, atttypmod),"
                   " CASE WHEN attnotnull THEN ' not null' ELSE '' END), ', ' ORDER BY attnum)"
                   " FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0",
                   {table});
    };
    CHECK(columns("public.price_telemetry") ==
          "time timestamp with time zone not null, symbol character varying(20) not null,"
          " bid numeric(20,8) not null, ask numeric(20,8) not null, mid numeric(20,8),"
          " volume numeric(30,8), source character varying(50), metadata jsonb, tenant_id uuid");
    CHECK(columns("public.unified_activity_log") ==
          "id bigint not null, timestamp timestamp with time zone not null,"
          " agent_id character varying(100), action_type character varying(50) not null,"
          " action_payload jsonb not null, user_id uuid, session_id uuid, metadata jsonb,"
          " hash_sha256 character varying(64) not null,"
          " created_at timestamp with time zone not null, tenant_id uuid");
    CHECK(one(connection,
              "SELECT c.collname FROM pg_attribute a JOIN pg_collation c"
              " ON c.oid = a.attcollation WHERE attrelid ="
              " 'public.price_telemetry'::regclass AND attname = 'symbol'") == "C");
    CHECK(sqlstate_of(connection,
                      "INSERT INTO unified_activity_log (action_type, action_payload,"
                      " hash_sha256) VALUES ('x', '1', 'abc')") == "23514");
}

TEST_CASE("two migrators at once apply each file once") {
    const std::string conninfo = fresh_database(shared_cluster());
    const auto files = embedded_migrations();
    std::atomic<int> applied{0};
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> migrators;
        for (int i = 0; i < 4; ++i) {
            migrators.emplace_back([&] {
                try {
                    pg_connection connection = connect(conninfo);
                    const auto ran = run_all(connection, files);
                    ran ? applied += * ran : failed += 1;
                } catch (const std::exception&) {
                    failed += 1;
                }
            });
        }
    }
    CHECK(failed == 0);
    CHECK(applied == static_cast<int>(files.size()));
}

TEST_CASE("two databases of one new cluster are migrated at once") {
    // The roles are the cluster's: both want to create them.
    private_cluster cluster;
    const std::vector<std::string> databases{fresh_database(cluster), fresh_database(cluster)};
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> migrators;
        for (const std::string& conninfo : databases) {
            migrators.emplace_back([&] {
                try {
                    pg_connection connection = connect(conninfo);
                    if (!run_all(connection, embedded_migrations())) failed += 1;
                } catch (const std::exception&) {
                    failed += 1;
                }
            });
        }
    }
    CHECK(failed == 0);
    pg_connection connection = connect(databases[1]);
    CHECK(one(connection, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'tickd\\_%'") == "7");
}

TEST_CASE("a file that changed is refused and nothing runs") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    auto files = with_more({"CREATE TABLE tickd.made_up (n int)"});
    const std::string changed = std::string(files[4].sql) + " ";
    files[4].sql = changed;

    const auto ran = run_all(connection, files);
    REQUIRE_FALSE(ran.has_value());
    REQUIRE(ran.error().problems.size() == 1);
    CHECK(to_text(ran.error()).starts_with("0005_dead_letter has changed"));
    CHECK(one(connection, "SELECT to_regclass('tickd.made_up') IS NULL") == "t");
}

TEST_CASE("a database of a newer tickd is refused") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    const auto files = embedded_migrations();
    const auto ran = run_all(connection, files.first(files.size() - 1));
    REQUIRE_FALSE(ran.has_value());
    CHECK(to_text(ran.error()).find("is in the database and not in this tickd") !=
          std::string::npos);
}

TEST_CASE("a migration that fails leaves nothing, those before it stay") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    const std::size_t real = embedded_migrations().size();
    const auto files = with_more({"CREATE TABLE tickd.kept (n int);",
                                  "CREATE TABLE tickd.lost (n int);\n"
                                  "-- grüße\n"
                                  "SELECT nonsense FROM tickd.lost;\n"});
    const auto ran = run_all(connection, files);
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().problems.empty());
    CHECK(ran.error().error.sqlstate == "42703");
    CHECK(ran.error().where == label_of(static_cast<int>(real) + 2, "made_up") + ".sql:3");
    CHECK(one(connection,
              "SELECT to_regclass('tickd.kept') IS NOT NULL"
              " AND to_regclass('tickd.lost') IS NULL") == "t");
    CHECK(count_applied(connection) == std::to_string(real + 1));

    // The same connection goes on.
    const auto repaired = with_more({"CREATE TABLE tickd.kept (n int);", "SELECT 1;"});
    CHECK(run_all(connection, repaired).value() == 1);
}

TEST_CASE("a migration that ends its transaction is an error") {
    pg_connection connection = connect(migrated_database(shared_cluster()));
    const auto ran = run_all(connection, with_more({"COMMIT;"}));
    REQUIRE_FALSE(ran.has_value());
    CHECK(to_text(ran.error()).find("ended its own transaction") != std::string::npos);
    CHECK(count_applied(connection) == std::to_string(embedded_migrations().size()));
}

TEST_CASE("the extension may be there already, outside public") {
    const std::string conninfo = fresh_database(shared_cluster());
    {
        pg_connection connection = connect(conninfo);
        run(connection,
            "CREATE SCHEMA ext; GRANT USAGE ON SCHEMA ext TO PUBLIC;"
            " CREATE EXTENSION timescaledb SCHEMA ext");
    }
    pg_connection connection = connect(conninfo);
    const auto ran = run_all(connection, embedded_migrations());
    INFO((ran ? std::string() : to_text(ran.error())));
    REQUIRE(ran.has_value());
    CHECK(one(connection, "SELECT count(*) FROM timescaledb_information.hypertables") == "3");
}

TEST_CASE("a migrator need not be a superuser") {
    private_cluster cluster;
    {
        pg_connection root = connect(cluster.conninfo());
        run(root, "CREATE ROLE chief LOGIN CREATEROLE BYPASSRLS");
        run(root, "ALTER DATABASE tickd OWNER TO chief");
    }
    pg_connection connection = connect(cluster.conninfo("tickd", "chief"));
    const auto ran = run_all(connection, embedded_migrations());
    INFO((ran ? std::string() : to_text(ran.error())));
    REQUIRE(ran.has_value());
    CHECK(one(connection,
              "SELECT count(*) FROM pg_class c JOIN pg_namespace n"
              " ON n.oid = relnamespace WHERE nspname IN ('tickd', 'tickd_chunks')"
              " AND pg_get_userbyid(relowner) <> 'tickd_owner'"
              " AND relkind = 'r'") == "0");
    CHECK(run_all(connection, embedded_migrations()).value() == 0);
}
