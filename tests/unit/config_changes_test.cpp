#include "daemon/config/config_changes.h"

#include <catch2/catch_test_macros.hpp>

#include "daemon/config/settings_table.h"

using namespace tickd;

namespace {

config usual() { return load_config({}).value; }

}  // namespace

TEST_CASE("nothing changes between equals", "[config_changes]") {
    const auto changes = changes_between(usual(), usual());
    CHECK(changes.applied.empty());
    CHECK(changes.waiting.empty());
}

TEST_CASE("what a reload applies is taken, the rest waits under its old value",
          "[config_changes]") {
    config next = usual();
    next.log.level = "debug";
    next.records.past_limit = std::chrono::hours{1};
    next.lanes.count = 7;
    const auto changes = changes_between(usual(), next);
    CHECK(changes.applied == std::vector<std::string>{"records.past_limit", "log.level"});
    CHECK(changes.waiting == std::vector<std::string>{"lanes.count"});
    CHECK(changes.value.log.level == "debug");
    CHECK(changes.value.records.past_limit == std::chrono::hours{1});
    CHECK(changes.value.lanes.count == 1);
}

TEST_CASE("a changed password in the url is a change", "[config_changes]") {
    config now = usual(), next = usual();
    now.database.url = "postgresql://a:one@h/d";
    next.database.url = "postgresql://a:two@h/d";
    CHECK(changes_between(now, next).waiting == std::vector<std::string>{"database.url"});
}

TEST_CASE("listeners are matched by their names", "[config_changes]") {
    config now = usual();
    listener_config a, b, c;
    a.name = "a";
    b.name = "b";
    c.name = "c";
    now.listeners = {a, b};
    b.sessions_max = 5;
    config next = now;
    next.listeners = {c, b};
    const auto changes = changes_between(now, next);
    CHECK(changes.applied == std::vector<std::string>{"listeners[].sessions_max of b"});
    CHECK(changes.waiting ==
          std::vector<std::string>{"listeners (with c)", "listeners (without a)"});
    REQUIRE(changes.value.listeners.size() == 2);
    CHECK(changes.value.listeners[1].sessions_max == 5);
}

TEST_CASE("of a listener nothing changes while one of its changes needs a restart",
          "[config_changes]") {
    const config now = usual();
    config next = now;
    next.listeners[0].auth = listener_auth::token;
    next.listeners[0].tls_client_ca = "/a";
    const auto changes = changes_between(now, next);
    CHECK(changes.applied.empty());
    CHECK(changes.waiting.size() == 2);
    CHECK(changes.value.listeners[0].tls_client_ca.empty());
}

TEST_CASE("identities are taken as a list", "[config_changes]") {
    config now = usual(), next = usual();
    CHECK(changes_between(now, next).applied.empty());
    next.identities.emplace_back().user = "feed";
    const auto changes = changes_between(now, next);
    CHECK(changes.applied == std::vector<std::string>{"identities"});
    CHECK(changes_between(changes.value, next).applied.empty());
    next.identities[0].producers = "a-*";
    CHECK(changes_between(changes.value, next).applied == std::vector<std::string>{"identities"});
}

TEST_CASE("every setting can be compared and taken", "[config_changes]") {
    const auto check = [](const auto& table) {
        for (const auto& each : table) {
            INFO(each.name);
            CHECK(each.same);
            CHECK(each.take);
        }
    };
    check(settings());
    check(listener_settings());
    check(identity_settings());
}
