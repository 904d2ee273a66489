#include <catch2/catch_test_macros.hpp>

#include "daemon/db/health.h"

using namespace tickd;

TEST_CASE("a check is one line") {
    CHECK(to_line({check_status::ok, "server", "PostgreSQL 17.11"}) ==
          "ok    server        PostgreSQL 17.11");
    CHECK(to_line({check_status::fail, "dead-letters", "x"}) == "fail  dead-letters  x");
}

TEST_CASE("the JSON form escapes what JSON must") {
    const std::vector<health_check> checks{
        {check_status::ok, "server", "a \"b\" \\ \n\x01 \xc3\xa9"},
        {check_status::warn, "ticks", ""}};
    CHECK(to_json(checks) ==
          "{\"status\":\"warn\",\"checks\":["
          "{\"name\":\"server\",\"status\":\"ok\","
          "\"detail\":\"a \\\"b\\\" \\\\ \\u000a\\u0001 \xc3\xa9\"},"
          "{\"name\":\"ticks\",\"status\":\"warn\",\"detail\":\"\"}]}");
    CHECK(to_json({}) == "{\"status\":\"ok\",\"checks\":[]}");
}

TEST_CASE("only a failure makes the exit code one") {
    const health_check ok{check_status::ok, "a", ""};
    const health_check note{check_status::note, "b", ""};
    const health_check warn{check_status::warn, "c", ""};
    const health_check fail{check_status::fail, "d", ""};
    CHECK(exit_code_of(std::vector{ok, note, warn}) == exit_code::ok);
    CHECK(exit_code_of(std::vector{ok, fail, note}) == exit_code::check_failed);
    CHECK(exit_code_of({}) == exit_code::ok);
}

TEST_CASE("ages are told in the largest unit that fits") {
    CHECK(age_text(0) == "0 s");
    CHECK(age_text(119) == "119 s");
    CHECK(age_text(120) == "2 min");
    CHECK(age_text(7'199) == "119 min");
    CHECK(age_text(7'200) == "2 h");
    CHECK(age_text(172'800) == "2 d");
}

TEST_CASE("a failure lists five problems and counts the rest") {
    CHECK(verdict_of("x", {}, "fine").detail == "fine");
    CHECK(verdict_of("x", {"a", "b"}, "fine").detail == "a; b");
    const health_check many = verdict_of("x", {"1", "2", "3", "4", "5", "6", "7"}, "fine");
    CHECK(many.status == check_status::fail);
    CHECK(many.detail == "1; 2; 3; 4; 5; and 2 more");
}

TEST_CASE("a missing right is a note, anything else a failure") {
    pg_error denied;
    denied.sqlstate = "42501";
    denied.message = "permission denied";
    CHECK(not_checked("x", denied).status == check_status::note);
    CHECK(not_checked("x", denied).detail == "not checked: permission denied (SQLSTATE 42501)");
    denied.sqlstate = "42P01";
    CHECK(not_checked("x", denied).status == check_status::fail);
}
