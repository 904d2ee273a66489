// `tickd verify` as it is called: exit codes, what it can be limited to, keys that are handed over,
// proofs, and that it stays clean while others write.
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <filesystem>
#include <format>
#include <fstream>
#include <thread>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tamper_site.h"

using namespace tickd;
using namespace tickd::test;

namespace {

const std::string tenant_a = "0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00";

tamper_site& fresh_site() {
    static tamper_site site;
    site.restore();
    return site;
}

ended_process run_verify(const tamper_site& site, std::vector<std::string> arguments,
                         const std::string& user = "tickd_auditor") {
    arguments.insert(arguments.begin(), {"verify"});
    arguments.insert(arguments.end(), {"--database", as_user(site.conninfo(), user)});
    return run_tickd(arguments);
}

ended_process verify_all(const tamper_site& site, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"activity", "--key",        site.notary().vkey(),
                                       "--json",   "--checkpoint", site.outside()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_verify(site, arguments);
}

bool says(const ended_process& ended, const std::string& words) {
    return ended.out.contains(words) || ended.err.contains(words);
}

std::string log_root(tamper_site& site, const std::string& size) {
    return one(site.sql(), "SELECT encode(tickd.activity_log_root($1), 'base64')", {size});
}

void keep_copy(tamper_site& site, const log_signer& who, const std::string& size) {
    static_cast<void>(rows(site.sql(),
                           "INSERT INTO tickd.activity_checkpoint (size, note)"
                           " VALUES ($1, $2)",
                           {size, who.checkpoint(size, log_root(site, size))}));
}

void append_note(tamper_site& site, const std::string& kind, const pg_parameter& vkey) {
    static_cast<void>(rows(site.sql(),
                           "SELECT tickd.append_activity_note($1, $2, 1767323045678902,"
                           " repeat('e', 32))",
                           {kind, vkey}));
}

}  // namespace

TEST_CASE("exit codes tell clean, tampered and could not verify apart") {
    tamper_site& site = fresh_site();
    CHECK(verify_all(site).exit_code == 0);
    CHECK(says(verify_all(site), R"("result":"clean")"));

    SECTION("tampered") {
        run(site.sql(), "UPDATE unified_activity_log SET agent_id = 'eve' WHERE id = 7");
        const ended_process found = verify_all(site);
        CHECK(found.exit_code == 1);
        CHECK(
            says(found, R"({"finding":"modified","level":0,"record":2,"first_id":7,"last_id":7)"));
        CHECK(says(run_verify(site, {"activity"}), "level 0  modified      row 7, record 2: "));
    }
    SECTION("no rights") {
        run(site.sql(),
            "DO $$ BEGIN CREATE ROLE verify_nobody LOGIN;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        CHECK(run_verify(site, {"activity"}, "verify_nobody").exit_code == 2);
    }
    SECTION("rows hidden by row security") {
        run(site.sql(),
            "DO $$ BEGIN CREATE ROLE verify_filtered LOGIN;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
            "GRANT USAGE ON SCHEMA tickd TO verify_filtered;"
            "GRANT SELECT ON ALL TABLES IN SCHEMA tickd, public TO verify_filtered;"
            "ALTER TABLE unified_activity_log ENABLE ROW LEVEL SECURITY");
        const ended_process refused = run_verify(site, {"activity"}, "verify_filtered");
        CHECK(refused.exit_code == 2);
        CHECK(says(refused, "row-level security"));
        CHECK(verify_all(site).exit_code == 0);
        run(site.sql(), "ALTER TABLE unified_activity_log DISABLE ROW LEVEL SECURITY");
    }
    SECTION("no checkpoint for the key") {
        run(site.sql(), "TRUNCATE tickd.activity_checkpoint");
        CHECK(run_verify(site, {"activity", "--key", site.notary().vkey()}).exit_code == 2);
        CHECK(verify_all(site).exit_code == 0);
    }
    SECTION("evidence that is none, and another log's key") {
        CHECK(run_verify(site, {"activity", "--checkpoint", "/nowhere"}).exit_code == 2);
        CHECK(
            run_verify(site, {"activity", "--checkpoint", TICKD_SOURCE_DIR "/LICENSE"}).exit_code ==
            2);
        CHECK(run_verify(site, {"activity", "--key", log_signer("x", 'x').vkey()}).exit_code == 2);
        CHECK(run_tickd({"verify", "activity", "--database", "host=/nowhere"}).exit_code == 2);
    }
    SECTION("usage") {
        CHECK(run_verify(site, {"activity", "--key", "x"}).exit_code == 64);
        CHECK(run_verify(site, {"activity", "--ids", "9..1"}).exit_code == 64);
        CHECK(run_verify(site, {"activity", "--tenant", "x"}).exit_code == 64);
    }
}

TEST_CASE("a verification limited to some rows finds what is among them") {
    tamper_site& site = fresh_site();
    run(site.sql(), "UPDATE unified_activity_log SET agent_id = 'eve' WHERE id = 7");
    const auto code = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "activity");
        return run_verify(site, arguments).exit_code;
    };
    CHECK(code({}) == 1);
    CHECK(code({"--ids", "7"}) == 1);
    CHECK(code({"--ids", "8..12"}) == 1);  // the same batch
    CHECK(code({"--ids", "9..30"}) == 0);
    CHECK(code({"--ids", "31..33"}) == 0);  // in no batch
    CHECK(code({"--tenant", "-"}) == 1);
    CHECK(code({"--tenant", tenant_a}) == 0);
    CHECK(code({"--since", site.outside() + "/checkpoint-10"}) == 0);
    run(site.sql(), "UPDATE unified_activity_log SET agent_id = 'eve' WHERE id = 60");
    CHECK(code({"--since", site.outside() + "/checkpoint-10"}) == 1);
    run(site.sql(),
        "INSERT INTO unified_activity_log SELECT"
        " (jsonb_populate_record(l, '{\"id\": 32}')).* FROM unified_activity_log l"
        " WHERE id = 9");
    CHECK(code({"--ids", "31..33"}) == 1);
    const std::string one_job = run_verify(site, {"activity", "--json", "--jobs", "1"}).out;
    const std::string many_jobs = run_verify(site, {"activity", "--json", "--jobs", "8"}).out;
    CHECK(one_job.substr(0, one_job.find("\"seconds\"")) ==
          many_jobs.substr(0, many_jobs.find("\"seconds\"")));
}

TEST_CASE("the newest signed record may be asked to be fresh") {
    tamper_site& site = fresh_site();
    CHECK(verify_all(site, {"--max-age", "1"}).exit_code == 1);  // the heartbeat is of 2026-01-02
    CHECK(says(verify_all(site, {"--max-age", "1"}), R"("finding":"stale","level":6)"));
    CHECK(verify_all(site, {"--max-age", "4000000000"}).exit_code == 0);
}

TEST_CASE("a key hands over to the next, and counts for its own sizes only") {
    tamper_site& site = fresh_site();
    const log_signer& old_key = site.notary();
    const log_signer next(site.origin(), 'n');
    append_note(site, "key", next.vkey());  // record 20: the old key signs size 21, no larger one
    append_note(site, "heartbeat", std::nullopt);
    const auto both = [&] {
        const ended_process by_tickd = verify_all(site);
        const ended_process by_python =
            run_python_verifier({"--database", as_user(site.conninfo(), "tickd_auditor"), "--key",
                                 old_key.vkey(), "--checkpoint", site.outside()});
        CHECK(by_tickd.exit_code == by_python.exit_code);
        return by_tickd;
    };
    SECTION("as it should be") {
        keep_copy(site, old_key, "21");
        keep_copy(site, next, "22");
        CHECK(both().exit_code == 0);
        CHECK(run_verify(site, {"activity", "--key", next.vkey()}).exit_code == 0);
    }
    SECTION("the old key signs on") {
        keep_copy(site, old_key, "21");
        keep_copy(site, old_key, "22");
        CHECK(says(both(), R"("finding":"bad_signature","level":4,"size":22)"));
    }
    SECTION("the new key signs before its time") {
        keep_copy(site, next, "21");
        CHECK(says(both(), R"("finding":"bad_signature","level":4,"size":21)"));
    }
    SECTION("nobody vouches for the new key") {
        keep_copy(site, next, "22");
        CHECK(says(both(), R"("finding":"bad_signature","level":4,"size":22)"));
    }
}

TEST_CASE("a proof holds without a database, and no changed one does") {
    tamper_site& site = fresh_site();
    const temporary_folder folder;
    const std::string file = folder.file("row.tlog-proof");
    const std::string& key = site.notary().vkey();
    for (const std::string id : {"1", "7", "45", "70"}) {
        INFO(id);
        REQUIRE(run_verify(site, {"prove", "--id", id, "--key", key, "--out", file}).exit_code ==
                0);
        const ended_process checked = run_tickd({"verify", "check-proof", file, "--key", key});
        CHECK(checked.exit_code == 0);
        CHECK(says(checked, "proven: row " + id + " is in the log " + site.origin()));
        CHECK(says(checked, "type " + id));
    }
    CHECK(
        run_verify(site, {"prove", "--id", "1", "--checkpoint", site.outside() + "/checkpoint-10"})
            .exit_code == 0);
    CHECK(
        run_verify(site, {"prove", "--id", "70", "--checkpoint", site.outside() + "/checkpoint-10"})
            .exit_code == 2);
    CHECK(run_verify(site, {"prove", "--id", "33"}).exit_code == 2);

    std::ifstream in(file, std::ios::binary);
    const std::string proof{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = 0; at < proof.size(); at += 7) {
        std::string changed = proof;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        if (changed == proof) continue;
        INFO(at);
        CHECK(run_tickd({"verify", "check-proof", folder.write("changed", changed), "--key", key})
                  .exit_code != 0);
    }
    CHECK(run_tickd({"verify", "check-proof", file, "--key", log_signer(site.origin(), 'x').vkey()})
              .exit_code == 1);
    run(site.sql(), "UPDATE unified_activity_log SET agent_id = 'eve' WHERE id = 7");
    CHECK(run_verify(site, {"prove", "--id", "7", "--key", key}).exit_code == 2);
}

TEST_CASE("one checkpoint continues another, or not") {
    tamper_site& site = fresh_site();
    const std::string older = site.outside() + "/checkpoint-10",
                      newer = site.outside() + "/checkpoint-20";
    const std::string& key = site.notary().vkey();
    CHECK(run_verify(site, {"consistency", older, newer, "--key", key}).exit_code == 0);
    CHECK(run_verify(site, {"consistency", older, older, "--key", key}).exit_code == 0);
    CHECK(run_verify(site, {"consistency", newer, older, "--key", key}).exit_code == 1);
    const temporary_folder folder;
    const std::string forked = folder.write(
        "forked", site.notary().checkpoint("20", "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="));
    CHECK(run_verify(site, {"consistency", older, forked, "--key", key}).exit_code == 1);
    const std::string unsigned_one = folder.write(
        "other", log_signer(site.origin(), 'x').checkpoint("20", log_root(site, "20")));
    CHECK(run_verify(site, {"consistency", older, unsigned_one, "--key", key}).exit_code == 1);
}

TEST_CASE("verification stays clean while four writers commit") {
    tamper_site& site = fresh_site();
    run(site.sql(), "SELECT setval('unified_activity_log_id_seq', 1000)");
    std::atomic<bool> stop{false};
    std::atomic<int> commits{0};
    std::vector<std::jthread> writers;
    for (int lane = 0; lane < 4; ++lane) {
        writers.emplace_back([&, lane] {
            pg_connection sql = connect(site.conninfo());
            run(sql, "SET tickd.migration = 'on'");
            for (int n = 0; !stop; ++n) {
                const std::string first =
                    one(sql, "SELECT tickd.reserve_activity_ids($1)", {std::to_string(n % 7 + 1)});
                run(sql, std::format(
                             "BEGIN;"
                             "INSERT INTO unified_activity_log (id, timestamp, action_type,"
                             " action_payload, created_at, tenant_id, hash_sha256)"
                             " SELECT i, t, 'lane {2}', to_jsonb(i), t, n,"
                             " tickd.activity_row_hash(i, t, NULL, 'lane {2}', to_jsonb(i), NULL,"
                             " NULL, NULL, t, n) FROM generate_series({0}::bigint, {0} + {1}) i,"
                             " (SELECT clock_timestamp() AS t) c,"
                             " LATERAL (SELECT md5((i % 3)::text)::uuid AS n) x;"
                             "SELECT tickd.seal_activity_rows({0}, {0} + {1}); COMMIT",
                             first, n % 7, lane));
                ++commits;
            }
        });
    }
    int verified = 0;
    while (verified < 5 || commits < 200) {
        CHECK(site.found_by_tickd() == std::set<finding_text>{});
        ++verified;
    }
    stop = true;
    writers.clear();
    CHECK(site.found_by_tickd() == std::set<finding_text>{});
    CHECK(site.found_by_python() == std::set<finding_text>{});
    CHECK(site.found_by_sql() == std::set<finding_text>{});
}
