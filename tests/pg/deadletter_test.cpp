// `tickd deadletter list`, `show` and `purge` against a real database.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

using namespace tickd;
using namespace tickd::test;

namespace {

struct site {
    std::string conninfo = migrated_database(shared_cluster());
    pg_connection root = connect(conninfo);
    temporary_folder folder;
    std::string config =
        folder.write("tickd.yaml", daemon_yaml(as_user(conninfo, "tickd_operator")));

    site() {
        run(root,
            R"(INSERT INTO tickd.dead_letter (received_at, session_id, peer, listener, producer,
                   seq, verdict, field, raw, raw_length, replayed_at) VALUES
               ('2024-08-08 12:00:00Z', 1, '10.0.0.1:5', 'in', 'feed-a', 5, 'too_precise', 'bid',
                '{"bid":1}', 9, NULL),
               ('2024-08-08 13:00:00Z', 2, '10.0.0.2:5', 'in', 'feed-b', NULL, 'not_json', NULL,
                '\x7b1b5b324aff', 6, NULL),
               ('2024-08-08 14:00:00Z', 3, 'unix', 'in', NULL, NULL, 'line_too_long', NULL,
                'xx', 9000000, NULL),
               ('2024-08-08 15:00:00Z', 4, 'unix', 'in', 'feed-a', 6, 'not_json', NULL,
                '{', 1, now()))");
    }
    ended_process letters(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--config", config, "deadletter"});
        return run_tickd(arguments);
    }
    // The ids that `list` gives, in its order.
    std::string listed(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"list", "--json"});
        const ended_process done = letters(arguments);
        INFO(done.err);
        REQUIRE(done.exit_code == 0);
        std::string ids;
        for (std::size_t at = 0; (at = done.out.find("{\"id\":", at)) != std::string::npos; ++at) {
            ids += done.out.substr(at + 6, done.out.find(',', at) - at - 6);
        }
        return ids;
    }
};

}  // namespace

TEST_CASE_METHOD(site, "list filters by id, verdict, producer, time and state, newest first") {
    CHECK(listed({}) == "321");
    CHECK(listed({"--state", "any"}) == "4321");
    CHECK(listed({"--state", "replayed"}) == "4");
    CHECK(listed({"--limit", "2"}) == "32");
    CHECK(listed({"--id", "1", "--id", "3", "--id", "99"}) == "31");
    CHECK(listed({"--verdict", "not_json", "--state", "any"}) == "42");
    CHECK(listed({"--verdict", "not_json", "--verdict", "too_precise"}) == "21");
    CHECK(listed({"--producer", "feed-a", "--state", "any"}) == "41");
    CHECK(listed({"--since", "2024-08-08T13:00:00Z", "--until", "2024-08-08T14:00:00Z"}) == "2");
    CHECK(listed({"--since", "1h"}).empty());
    CHECK(listed({"--until", "1h"}) == "321");
    CHECK(letters({"list", "--verdict", "nonsense"}).exit_code == 64);
    CHECK(letters({"list", "--since", "yesterday"}).exit_code == 64);

    const ended_process table = letters({"list", "--limit", "2"});
    CHECK(table.exit_code == 0);
    CHECK(table.out.starts_with("ID  RECEIVED (UTC)"));
    CHECK(table.out.contains("{\\x1b[2J\\xff"));
    CHECK(table.out.find('\x1b') == std::string::npos);
    CHECK(table.err.contains("the newest 2 of 3"));
}

TEST_CASE_METHOD(site, "show prints everything about one, safely") {
    const ended_process one_letter = letters({"show", "2"});
    CHECK(one_letter.exit_code == 0);
    for (const std::string words :
         {"verdict     not_json", "session     2", "peer        10.0.0.2:5", "producer    feed-b",
          "received    2024-08-08T13:00:00.000000Z", "length      6 bytes",
          "record      {\\x1b[2J\\xff\n"}) {
        CHECK(one_letter.out.contains(words));
    }
    CHECK(letters({"show", "4"}).out.contains("replayed "));
    CHECK(letters({"show", "3"}).out.contains("9000000 bytes, of which 2 were kept"));
    CHECK(letters({"show", "2", "--json"}).out.contains(R"("raw":null,"raw_hex":"7b1b5b324aff")"));
    CHECK(letters({"show", "99"}).exit_code == 66);
}

TEST_CASE_METHOD(site, "purge deletes what its filters name, and nothing without --yes") {
    CHECK(letters({"purge"}).exit_code == 64);
    CHECK(letters({"purge", "--yes"}).exit_code == 64);
    CHECK(letters({"purge", "--all", "--id", "1", "--yes"}).exit_code == 64);
    const ended_process dry = letters({"purge", "--verdict", "not_json"});
    CHECK(dry.exit_code == 64);
    CHECK(dry.err.contains("would delete 2 dead letters; add --yes"));
    CHECK(listed({"--state", "any"}) == "4321");

    CHECK(letters({"purge", "--verdict", "not_json", "--state", "replayed", "--yes"}).out ==
          "purged 1\n");
    CHECK(listed({"--state", "any"}) == "321");
    CHECK(letters({"purge", "--until", "2024-08-08T14:00:00Z", "--yes"}).out == "purged 2\n");
    CHECK(listed({"--state", "any"}) == "3");
    run(root,
        "INSERT INTO tickd.dead_letter (received_at, verdict, raw, raw_length)"
        " SELECT now(), 'not_json', '{', 1 FROM generate_series(1, 25000)");
    CHECK(letters({"purge", "--all", "--yes"}).out == "purged 25,001\n");
    CHECK(one(root, "SELECT count(*) FROM tickd.dead_letter") == "0");
}

TEST_CASE_METHOD(site, "the operator works on dead letters and may do no more than the daemon") {
    pg_connection as = connect(as_user(conninfo, "tickd_operator"));
    for (const std::string denied :
         {"UPDATE tickd.dead_letter SET raw = ''", "DELETE FROM tickd.dead_letter",
          "TRUNCATE tickd.dead_letter", "SELECT * FROM price_telemetry",
          "SELECT * FROM unified_activity_log", "DELETE FROM price_telemetry",
          "UPDATE unified_activity_log SET hash_sha256 = ''", "SET ROLE tickd_owner"}) {
        INFO(denied);
        CHECK(sqlstate_of(as, denied) == "42501");
    }
    for (const std::string role : {"tickd_ingest", "tickd_auditor"}) {
        pg_connection other = connect(as_user(conninfo, role));
        INFO(role);
        CHECK(sqlstate_of(other, "SELECT tickd.purge_dead_letters('{1}')") != "");
        CHECK(sqlstate_of(other, "SELECT tickd.mark_replayed('{1}')") != "");
    }
    CHECK(one(root, "SELECT count(*) FROM tickd.dead_letter") == "4");
}
