// Who may change the activity log: nobody.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include "tests/support/activity_log.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

const std::string denied = "42501";

// A log with a row, two records of it and a heartbeat.
std::string filled_database() {
    const std::string conninfo = migrated_database(shared_cluster());
    pg_connection sql = connect(conninfo);
    run(sql,
        "INSERT INTO unified_activity_log (id, action_type, action_payload, hash_sha256)"
        " VALUES (1, 'a', '1', repeat('a', 64))");
    run(sql, "SELECT tickd.seal_activity_rows(1, 1)");
    run(sql, "SELECT tickd.append_activity_note('heartbeat', NULL, 1, repeat('b', 32))");
    run(sql, "INSERT INTO tickd.activity_checkpoint (size, note) VALUES (1, 'x')");
    return conninfo;
}

const std::vector<std::string> changes{
    "UPDATE unified_activity_log SET agent_id = 'x'",
    "UPDATE unified_activity_log SET agent_id = agent_id",
    "DELETE FROM unified_activity_log",
    "TRUNCATE unified_activity_log",
    "INSERT INTO unified_activity_log (id, action_type, action_payload, hash_sha256)"
    " VALUES (1, 'b', '2', repeat('a', 64)) ON CONFLICT (id) DO UPDATE SET action_type = 'b'",
    "UPDATE tickd.activity_batch SET record = record",
    "DELETE FROM tickd.activity_batch",
    "TRUNCATE tickd.activity_batch",
    "UPDATE tickd.activity_head SET size = size - 1",
    "UPDATE tickd.activity_head SET size = size + 1",
    "UPDATE tickd.activity_head SET root = sha256('x')",
    "DELETE FROM tickd.activity_head",
    "TRUNCATE tickd.activity_head",
    "UPDATE tickd.activity_tenant_head SET tseq = tseq + 1",
    "INSERT INTO tickd.activity_tenant_head VALUES (gen_random_uuid(), 1, sha256('x'))",
    "DELETE FROM tickd.activity_tenant_head",
    "TRUNCATE tickd.activity_tenant_head",
    "UPDATE tickd.activity_checkpoint SET note = 'y'",
    "DELETE FROM tickd.activity_checkpoint",
    "TRUNCATE tickd.activity_checkpoint",
};

const std::vector<std::string> alterations{
    "ALTER TABLE unified_activity_log DISABLE TRIGGER ALL",
    "ALTER TABLE unified_activity_log RENAME TO other",
    "ALTER TABLE unified_activity_log ALTER COLUMN hash_sha256 DROP NOT NULL",
    "ALTER TABLE unified_activity_log DROP COLUMN metadata CASCADE",
    "DROP TRIGGER activity_guard_rows ON unified_activity_log",
    "DROP TABLE unified_activity_log CASCADE",
    "DROP TABLE tickd.activity_batch CASCADE",
    "DROP SCHEMA tickd CASCADE",
    "DROP INDEX tickd.activity_batch_tenant",
    "ALTER TABLE tickd.activity_batch DROP CONSTRAINT activity_batch_ids",
    "CREATE RULE swallow AS ON INSERT TO unified_activity_log DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON unified_activity_log FOR EACH ROW"
    " EXECUTE FUNCTION tickd.refuse_change()",
    "CREATE OR REPLACE FUNCTION tickd.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END'",
};

}  // namespace

TEST_CASE("no role changes the log, whatever it may switch off", "[activity_guard]") {
    const std::string conninfo = filled_database();
    for (const std::string role : {"postgres", "tickd_owner", "tickd_ingest", "tickd_auditor",
                                   "tickd_notary", "tickd_reader"}) {
        pg_connection sql = connect(conninfo);
        // Ordinary triggers do not fire then.
        run(sql, "SET session_replication_role = replica");
        run(sql, "SET ROLE " + role);
        for (const std::string& change : changes) {
            CAPTURE(role, change);
            CHECK(sqlstate_of(sql, change) == denied);
        }
    }
    pg_connection sql = connect(conninfo);
    CHECK(one(sql, "SELECT count(*) FROM unified_activity_log") == "1");
    CHECK(one(sql, "SELECT size FROM tickd.activity_head") == "3");
}

TEST_CASE("a parent's UPDATE meets the triggers, too", "[activity_guard]") {
    pg_connection sql = connect(filled_database());
    run(sql, "CREATE TABLE parent (LIKE unified_activity_log)");
    CHECK(sqlstate_of(sql, "ALTER TABLE unified_activity_log INHERIT parent") == denied);
    run(sql, "SET tickd.migration = 'on'");
    run(sql, "ALTER TABLE unified_activity_log INHERIT parent");
    CHECK(sqlstate_of(sql, "UPDATE parent SET agent_id = 'x'") == denied);
    CHECK(sqlstate_of(sql, "DELETE FROM parent") == denied);
}

TEST_CASE("ALTER and DROP are refused outside a migration", "[activity_guard]") {
    const std::string conninfo = filled_database();
    pg_connection owner = connect(conninfo);
    run(owner, "CREATE ROLE log_owner_" +
                   one(owner,
                       "SELECT oid::text FROM pg_database WHERE"
                       " datname = current_database()") +
                   " LOGIN IN ROLE tickd_owner");
    const std::string name = one(owner,
                                 "SELECT rolname FROM pg_roles WHERE rolname LIKE"
                                 " 'log\\_owner\\_%' ORDER BY oid DESC LIMIT 1");
    pg_connection superuser = connect(conninfo);
    pg_connection member = connect(as_user(conninfo, name));
    run(member, "SET tickd.migration = 'on'");  // means nothing from him
    for (const std::string& alteration : alterations) {
        CAPTURE(alteration);
        CHECK(sqlstate_of(superuser, alteration) == denied);
        CHECK(sqlstate_of(member, alteration) == denied);
    }
    // Everything else goes on, and a migration may.
    run(superuser, "CREATE INDEX by_user ON unified_activity_log (user_id)");
    run(superuser, "COMMENT ON TABLE unified_activity_log IS 'the log'");
    run(superuser, "CREATE TABLE other (n int); ALTER TABLE other ADD m int; DROP TABLE other");
    run(superuser, "CREATE TEMP TABLE activity_batch (n int); DROP TABLE activity_batch");
    run(superuser, "SET tickd.migration = 'on'");
    run(superuser, "ALTER TABLE unified_activity_log ADD COLUMN note text");
}

TEST_CASE("the daemon's role appends, and reads nothing", "[activity_guard]") {
    pg_connection ingest = connect(as_user(filled_database(), "tickd_ingest"));
    for (const std::string table :
         {"public.unified_activity_log", "tickd.activity_batch", "tickd.activity_head",
          "tickd.activity_tenant_head", "tickd.activity_checkpoint"}) {
        CAPTURE(table);
        CHECK(sqlstate_of(ingest, "SELECT FROM " + table) == denied);
    }
    CHECK(sqlstate_of(ingest, "SELECT tickd.seal_activity_rows(1, 1)") == denied);
    CHECK(sqlstate_of(ingest,
                      "SELECT tickd.append_activity_note('heartbeat', NULL, 1,"
                      " repeat('b', 32))") == denied);
}
