// What `tickd doctor` prints and finds without a database.
#include <catch2/catch_test_macros.hpp>

#include <simdjson.h>

#include <sstream>
#include <string>

#include "daemon/doctor/preflight.h"
#include "daemon/doctor/sqlstate_table.h"
#include "daemon/tls/tls.h"
#include "ingest/sqlstate_policy.h"
#include "tests/support/test_ca.h"

using namespace tickd;

TEST_CASE("the printed table is the table that decides", "[doctor]") {
    std::istringstream text(sqlstate_text());
    std::string line;
    REQUIRE(std::getline(text, line));
    CHECK(line.starts_with("SQLSTATE "));
    for (const ingest::sqlstate_rule& rule : ingest::sqlstate_rules) {
        REQUIRE(std::getline(text, line));
        CAPTURE(line);
        std::string state = line.substr(0, line.find(' '));
        if (state.ends_with("xxx")) state.resize(2);
        if (state == "-") state.clear();
        CHECK(state == rule.prefix);
        CHECK(line.substr(9).starts_with(to_string(rule.action)));
        CHECK(line.substr(26) == rule.meaning);
    }
    REQUIRE(std::getline(text, line));
    CHECK(line.starts_with("other    pause "));
}

TEST_CASE("the table as JSON is the table that decides", "[doctor]") {
    simdjson::dom::parser parser;
    const simdjson::padded_string json(sqlstate_json());
    const simdjson::dom::object document = parser.parse(json).get_object();
    std::size_t at = 0;
    for (const simdjson::dom::element each : document["rules"].get_array()) {
        REQUIRE(at < ingest::sqlstate_rules.size());
        const ingest::sqlstate_rule& rule = ingest::sqlstate_rules.at(at++);
        CHECK(std::string_view(each["sqlstate"]) == rule.prefix);
        CHECK(std::string_view(each["action"]) == to_string(rule.action));
        CHECK(std::string_view(each["meaning"]) == rule.meaning);
        // Every action that is named is explained.
        const std::string_view words = document["actions"][to_string(rule.action)];
        CHECK(words == explain(rule.action));
        CHECK(words.size() > 20);
    }
    CHECK(at == ingest::sqlstate_rules.size());
    CHECK(std::string_view(document["otherwise"]) == to_string(ingest::action_for("99999")));
}

TEST_CASE("a listener that the network reaches is a warning", "[doctor]") {
    config settings;
    for (const std::string address :
         {"127.0.0.1:7450", "[::1]:7450", "localhost:7450", "unix:/run/tickd/tickd.sock"}) {
        listener_config at;
        at.address = address;
        settings.listeners.push_back(at);
    }
    CHECK(check_listeners(settings).status == check_status::ok);
    for (const std::string address : {"0.0.0.0:7450", "[::]:7450", "db1:7450", "10.0.0.7:7450"}) {
        config open = settings;
        open.listeners.front().address = address;
        CHECK(check_listeners(open).status == check_status::warn);
        CHECK(check_listeners(open).detail.starts_with(address + ":"));
    }
}

TEST_CASE("a listener that asks who is sending is none, but for secrets in the open", "[doctor]") {
    config settings;
    settings.listeners.resize(1);
    listener_config& at = settings.listeners.front();
    at.address = "0.0.0.0:7450";
    at.auth = listener_auth::token;
    CHECK(check_listeners(settings).status == check_status::warn);
    CHECK(check_listeners(settings).detail.contains("tokens go over the network"));
    at.tls_certificate = at.tls_key = "file";
    CHECK(check_listeners(settings).status == check_status::ok);
    at.auth = listener_auth::mtls;
    CHECK(check_listeners(settings).status == check_status::ok);
    at.auth = listener_auth::none;
    CHECK(check_listeners(settings).status == check_status::warn);
}

TEST_CASE("a certificate is a warning when its end is near, and a failure when it is of no use",
          "[doctor]") {
    const tickd::test::test_ca ca;
    const auto pair = ca.server();
    config settings;
    settings.listeners.resize(2);
    CHECK(check_certificates(settings, 0).status == check_status::ok);
    listener_config& at = settings.listeners.front();
    at.tls_certificate = pair.certificate;
    at.tls_key = pair.key;
    const auto end_s = certificate_end_s(pair.certificate);
    REQUIRE(end_s);
    constexpr std::int64_t day_s = 86'400;
    CHECK(check_certificates(settings, *end_s - 22 * day_s).status == check_status::ok);
    CHECK(check_certificates(settings, *end_s - 20 * day_s).status == check_status::warn);
    CHECK(check_certificates(settings, *end_s - 20 * day_s).detail.contains("in 20 days"));
    CHECK(check_certificates(settings, *end_s).status == check_status::fail);
    at.tls_key = ca.server("other").key;
    CHECK(check_certificates(settings, 0).detail.contains("is not the key of"));
    at.tls_certificate = "/nowhere";
    CHECK(check_certificates(settings, 0).status == check_status::fail);
}

TEST_CASE("a file limit below the sessions allowed is a warning", "[doctor]") {
    config settings;
    settings.listeners.resize(2);
    settings.listeners[1].sessions_max = 100'000;
    CHECK(check_files(settings, 1'000'000).status == check_status::ok);
    CHECK(check_files(settings, 1024).status == check_status::warn);
    CHECK(check_files(settings, 101'024).status == check_status::warn);
    CHECK(files_of_this_process() > 0);
}

TEST_CASE("the spool's disk must hold what the lanes may fill", "[doctor]") {
    config settings;
    CHECK(check_spool_space(settings).status == check_status::ok);
    settings.spool.folder = "/tmp/not/yet/there";
    settings.spool.max_bytes = 1;
    CHECK(check_spool_space(settings).status == check_status::ok);
    settings.spool.max_bytes = std::uint64_t{1} << 60;
    const health_check found = check_spool_space(settings);
    CHECK(found.status == check_status::warn);
    CHECK(found.detail.contains("lower spool.max_bytes"));
}
