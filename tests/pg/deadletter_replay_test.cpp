// `tickd deadletter replay`: each letter once, wherever the process is killed.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tickd_child.h"

using namespace tickd;
using namespace tickd::test;

namespace {

constexpr const char* tenant = "0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00";

struct site {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);
    temporary_folder folder;

    std::string config(const std::string& settings = {}) {
        return folder.write("tickd.yaml",
                            daemon_yaml(as_user(conninfo, "tickd_operator"), settings));
    }
    // Says what the daemon would have written for this line.
    void add(const std::string& line, const std::string& verdict = "not_json",
             const std::string& more = "0") {
        run(root, std::format("INSERT INTO tickd.dead_letter (received_at, session_id, producer,"
                              " tenant_id, seq, verdict, raw, raw_length) SELECT '2024-08-08"
                              " 12:00:00Z', 1, 'feed', '{}', 7, '{}', l, octet_length(l) + {}"
                              " FROM convert_to({}, 'UTF8') AS l",
                              tenant, verdict, more, quote_literal(line)));
    }
    // Six that are fine today, one that is not, one that was cut.
    void add_letters() {
        for (int i = 0; i < 4; ++i) {
            add(std::format(R"({{"symbol":"S{}","bid":1.25,"ask":1.5}})", i));
        }
        add(R"({"action_type":"a","action_payload":{"n":1}})");
        add(R"({"action_type":"b","action_payload":[]})");
        add(R"({"symbol":"S","bid":0.123456789,"ask":1})");
        add(R"({"symbol":"cut)", "line_too_long", "5000");
        run(root,
            std::format("INSERT INTO tickd.producer (producer, tenant_id, received, committed,"
                        " dead_lettered) VALUES ('feed', '{}', 10, 2, 8),"
                        " ('feed', NULL, 3, 3, 0), ('other', NULL, 1, 0, 1)",
                        tenant));
    }
    ended_process replay(const std::string& settings = {}) {
        return run_tickd({"--config", config(settings), "deadletter", "replay", "--all"});
    }
    std::string rows_in() {
        return one(root,
                   "SELECT (SELECT count(*) FROM price_telemetry) || ' ' ||"
                   " (SELECT count(*) FROM unified_activity_log) || ' ' ||"
                   " (SELECT count(*) FROM tickd.dead_letter WHERE replayed_at IS NOT NULL)");
    }
    std::string producer() {
        return one(root,
                   "SELECT format('%s = %s + %s', received, committed, dead_lettered)"
                   " FROM tickd.producer WHERE producer = 'feed' AND tenant_id IS NOT NULL");
    }
    void await_blocked(int backends) {
        await(root, std::format("SELECT count(*) >= {} FROM pg_stat_activity WHERE"
                                " datname = current_database() AND wait_event_type = 'Lock'",
                                backends));
    }
    void await_no_replay() {
        await(root,
              "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
              " AND application_name IN ('tickd', 'tickd replay') AND usename = 'tickd_operator'");
    }
};

}  // namespace

TEST_CASE_METHOD(site, "a replay puts in what is fine today, and tells what is not") {
    add_letters();
    const ended_process done = replay();
    INFO(done.out << done.err);
    CHECK(done.exit_code == 65);
    CHECK(done.out ==
          "replayed 6 (4 ticks, 2 activity events)\nstill refused 1: too_precise\n"
          "cannot be replayed 1: only their beginning was kept\n");
    CHECK(rows_in() == "4 2 6");
    CHECK(producer() == "10 = 8 + 2");
    // As if they had come when they came, for whom they came.
    CHECK(one(root, std::format("SELECT count(*) FROM price_telemetry WHERE tenant_id = '{}'"
                                " AND time = '2024-08-08 12:00:00Z' AND mid = 1.375",
                                tenant)) == "4");
    CHECK(one(root,
              "SELECT count(*) FROM unified_activity_log l WHERE created_at ="
              " '2024-08-08 12:00:00Z' AND hash_sha256 = tickd.activity_row_hash(l)") == "2");
    CHECK(rows(root,
               "SELECT verdict, field FROM tickd.dead_letter WHERE replayed_at IS NULL"
               " ORDER BY id") == text_rows{{"too_precise", "bid"}, {"line_too_long", "\\N"}});
    CHECK(one(root, "SELECT ticks || ' ' || events FROM tickd.batch_ledger WHERE lane = 2000000") ==
          "4 2");

    CHECK(replay().out.starts_with("replayed 0 "));
    CHECK(rows_in() == "4 2 6");
}

TEST_CASE("a replay killed at any step and run again replays each letter once") {
    struct step {
        std::string name, lock, unlock = "ROLLBACK";
        bool committed = false;  // by the server, although nobody hears of it
    };
    const std::vector<step> steps{
        {"waiting for another replay", "SELECT pg_advisory_lock(1953063789, 0)",
         "SELECT pg_advisory_unlock_all()"},
        {"taking the lane", "BEGIN; LOCK tickd.lane IN EXCLUSIVE MODE"},
        {"pruning the ledger", "BEGIN; LOCK tickd.batch_ledger IN SHARE MODE"},
        {"ticks", "BEGIN; LOCK price_telemetry IN SHARE MODE"},
        {"events", "BEGIN; LOCK unified_activity_log IN SHARE MODE"},
        // With the last row's end the server has everything, COMMIT too, and goes on alone.
        {"marks", "BEGIN; SELECT FROM tickd.dead_letter WHERE verdict = 'not_json' FOR UPDATE",
         "ROLLBACK", true},
        {"counts", "BEGIN; SELECT FROM tickd.producer FOR UPDATE", "ROLLBACK", true},
        {"COMMIT", "SELECT pg_advisory_lock(42)", "SELECT pg_advisory_unlock_all()", true},
        {"verdicts",
         "BEGIN; SELECT FROM tickd.dead_letter WHERE convert_from(raw, 'UTF8') LIKE '%789%'"
         " FOR UPDATE",
         "ROLLBACK", true},
    };
    for (const step& each : steps) {
        INFO(each.name);
        site on;
        run(on.root,
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END';"
            "CREATE CONSTRAINT TRIGGER hold AFTER UPDATE ON tickd.dead_letter"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()");
        on.add_letters();
        {
            pg_connection holder = connect(on.conninfo);
            run(holder, each.lock);
            tickd_child replaying({"--config", on.config(), "deadletter", "replay", "--all"});
            on.await_blocked(1);
            replaying.kill_hard();
            run(holder, each.unlock);
        }
        on.await_no_replay();
        CHECK(on.rows_in() == (each.committed ? "4 2 6" : "0 0 0"));
        const ended_process again = on.replay();
        INFO(again.out << again.err);
        CHECK(again.exit_code == 65);
        CHECK(again.out.starts_with(each.committed ? "replayed 0 " : "replayed 6 "));
        CHECK(on.rows_in() == "4 2 6");
        CHECK(on.producer() == "10 = 8 + 2");
    }
}

TEST_CASE_METHOD(site, "two replays at once replay each letter once") {
    add_letters();
    pg_connection holder = connect(conninfo);
    run(holder, "BEGIN; LOCK price_telemetry IN SHARE MODE");
    tickd_child first({"--config", config(), "deadletter", "replay", "--all"});
    await_blocked(1);
    tickd_child second({"--config", config(), "deadletter", "replay", "--all"});
    await_blocked(2);
    run(holder, "ROLLBACK");
    CHECK(first.wait() == 65);
    CHECK(second.wait() == 65);
    CHECK(rows_in() == "4 2 6");
    CHECK(producer() == "10 = 8 + 2");
}

TEST_CASE_METHOD(site, "a replay whose backend is ended in doubt asks the ledger and goes on") {
    add_letters();
    pg_connection holder = connect(conninfo);
    run(holder, "BEGIN; SELECT FROM tickd.producer FOR UPDATE");
    tickd_child replaying({"--config", config(), "deadletter", "replay", "--all"});
    await_blocked(1);
    run(root,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'tickd replay'");
    run(holder, "ROLLBACK");
    CHECK(replaying.wait() == 65);
    CHECK(rows_in() == "4 2 6");
    CHECK(producer() == "10 = 8 + 2");
}

TEST_CASE_METHOD(site, "a letter that is purged or marked while it is replayed is not written") {
    add_letters();
    pg_connection holder = connect(conninfo);
    run(holder, "BEGIN; LOCK price_telemetry IN SHARE MODE");
    tickd_child replaying({"--config", config(), "deadletter", "replay", "--all"});
    await_blocked(1);
    run(root,
        "DELETE FROM tickd.dead_letter WHERE convert_from(raw, 'UTF8') LIKE '%S1%';"
        "UPDATE tickd.dead_letter SET replayed_at = now()"
        " WHERE convert_from(raw, 'UTF8') LIKE '%S2%'");
    run(holder, "ROLLBACK");
    CHECK(replaying.wait() == 65);
    CHECK(rows_in() == "2 2 5");
    CHECK(rows(root, "SELECT symbol FROM price_telemetry ORDER BY 1") == text_rows{{"S0"}, {"S3"}});
}

TEST_CASE_METHOD(site, "settings of today decide") {
    add(R"({"symbol":"P","bid":0.123456789,"ask":1})", "too_precise");
    add(R"({"symbol":"U","bid":1,"ask":1,"other":1})", "unknown_field");
    add(R"({"symbol":"F","bid":1,"ask":1,"time":"2024-08-08T14:00:00Z"})", "time_too_far_ahead");
    add(R"({"symbol":"O","bid":1,"ask":1,"time":"2024-08-01T12:00:00Z"})", "time_too_old");
    // An hour ahead of its arrival, not of today, is what future_limit means.
    const ended_process strict = replay("records:\n  unknown_fields: reject\n  past_limit: 1d\n");
    INFO(strict.out << strict.err);
    CHECK(strict.exit_code == 65);
    CHECK(rows_in() == "0 0 0");
    const ended_process loose = replay("records:\n  excess_digits: round\n  future_limit: 3h\n");
    INFO(loose.out << loose.err);
    CHECK(loose.exit_code == 0);
    CHECK(rows(root, "SELECT symbol, bid, metadata FROM price_telemetry ORDER BY 1") ==
          text_rows{{"F", "1.00000000", "\\N"},
                    {"O", "1.00000000", "\\N"},
                    {"P", "0.12345679", "\\N"},
                    {"U", "1.00000000", R"({"other": 1})"}});
}

TEST_CASE_METHOD(site, "a row that the server refuses stays a dead letter, and the rest goes in") {
    run(root, "ALTER TABLE price_telemetry ADD CONSTRAINT bad CHECK (symbol <> 'S2')");
    add_letters();
    const ended_process done = replay();
    INFO(done.out << done.err);
    CHECK(done.exit_code == 65);
    CHECK(done.out.contains("replayed 5 (3 ticks, 2 activity events)"));
    CHECK(done.out.contains("still refused 1: refused_by_server"));
    CHECK(rows_in() == "3 2 5");
    CHECK(producer() == "10 = 7 + 3");
    CHECK(rows(root,
               "SELECT verdict, sqlstate FROM tickd.dead_letter WHERE replayed_at IS NULL"
               " AND convert_from(raw, 'UTF8') LIKE '%S2%'") ==
          text_rows{{"refused_by_server", "23514"}});
    CHECK(one(root, "SELECT count(*) FROM tickd.dead_letter") == "8");
}

TEST_CASE_METHOD(site, "many letters go in many batches, and the daemon's role may not") {
    run(root,
        "INSERT INTO tickd.dead_letter (received_at, verdict, raw, raw_length)"
        " SELECT now(), 'not_json', l, octet_length(l) FROM (SELECT convert_to("
        "  format('{\"symbol\":\"N%s\",\"bid\":1,\"ask\":%s}', n % 50, n), 'UTF8') AS l"
        "  FROM generate_series(1, 9500) n) AS lines");
    const std::string ingest =
        folder.write("ingest.yaml", daemon_yaml(as_user(conninfo, "tickd_ingest")));
    const ended_process denied = run_tickd({"--config", ingest, "deadletter", "replay", "--all"});
    CHECK(denied.exit_code == 77);
    CHECK(denied.err.contains("tickd_operator"));

    const ended_process some =
        run_tickd({"--config", config(), "deadletter", "replay", "--limit", "2500", "--all"});
    CHECK(some.out.starts_with("replayed 2,500 "));
    const ended_process rest = replay();
    INFO(rest.out << rest.err);
    CHECK(rest.exit_code == 0);
    CHECK(rest.out.starts_with("replayed 7,000 "));
    CHECK(one(root, "SELECT count(*) || ' ' || count(DISTINCT ask) FROM price_telemetry") ==
          "9500 9500");
}

TEST_CASE("what an acked producer had refused is committed by a replay, and its counts add up") {
    ingest_site site;
    const temporary_folder folder;
    const std::string file = folder.write("ticks.ndjson",
                                          "{\"symbol\":\"A\",\"bid\":1,\"ask\":2}\n"
                                          "{\"symbol\":\"B\",\"bid\":0.123456789,\"ask\":2}\n");
    REQUIRE(run_tickd({"send", file, "--to", site.address(), "--producer", "feed-a"}).exit_code ==
            0);
    const std::string database = one(site.sql(), "SELECT current_database()");
    const std::string config = folder.write(
        "tickd.yaml", daemon_yaml(shared_cluster().conninfo(database, "tickd_operator"),
                                  "records:\n  excess_digits: round\n"));
    const ended_process done =
        run_tickd({"--config", config, "deadletter", "replay", "--producer", "feed-a"});
    INFO(done.out << done.err);
    CHECK(done.exit_code == 0);
    CHECK(one(site.sql(),
              "SELECT format('%s %s %s %s', watermark, received, committed, dead_lettered)"
              " FROM tickd.producer") == "2 2 2 0");
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "2");
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.conservation_breaches()") == "0");
    CHECK(site.daemon().stop() == 0);
}
