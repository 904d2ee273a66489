#include <catch2/catch_test_macros.hpp>

#include <array>

#include "daemon/identity/identity_map.h"

using namespace tickd;

namespace {

identity_config identity(std::string name, std::string certificate, std::string user = {},
                         std::string group = {}) {
    identity_config made;
    made.name = std::move(name);
    made.certificate = std::move(certificate);
    made.user = std::move(user);
    made.group = std::move(group);
    return made;
}

std::string name_of(const credential* who) { return who == nullptr ? "nobody" : who->name; }

}  // namespace

TEST_CASE("a local user is known by number or name, and by its group") {
    const identity_map map({identity("both", {}, "7001", "7002"), identity("user", {}, "7001"),
                            identity("group", {}, {}, "7002"), identity("root", {}, "root"),
                            identity("certificate", "*")});
    CHECK(name_of(map.by_peer({.user = 7001, .group = 7002})) == "both");
    CHECK(name_of(map.by_peer({.user = 7001, .group = 1})) == "user");
    CHECK(name_of(map.by_peer({.user = 1, .group = 7002})) == "group");
    CHECK(name_of(map.by_peer({.user = 0, .group = 0})) == "root");
    CHECK(name_of(map.by_peer({.user = 1, .group = 1})) == "nobody");
}

TEST_CASE("who names a user that the system does not know fits nobody") {
    const identity_config strange = identity("strange", {}, "no such user");
    REQUIRE_FALSE(local_of(strange));
    CHECK(local_of(strange).error() == "this system has no user no such user");
    CHECK(name_of(identity_map({strange}).by_peer({.user = 0, .group = 0})) == "nobody");
}

TEST_CASE("a certificate is known by any of its names, of the right kind") {
    const identity_map map({identity("a", "CN:feed-a"), identity("eu", "DNS:*.eu.example"),
                            identity("local", {}, "0")});
    const std::array names{std::string("CN:feed-b"), std::string("DNS:x.eu.example")};
    CHECK(name_of(map.by_certificate(names)) == "eu");
    const std::array other_kind{std::string("DNS:feed-a")};
    CHECK(name_of(map.by_certificate(other_kind)) == "nobody");
    CHECK(name_of(map.by_certificate({})) == "nobody");
}

TEST_CASE("producers are a list with commas, tenant and rights go along") {
    identity_config given = identity("a", "CN:a");
    given.producers = " feed-a, eu-*,, us 1 ";
    given.tenant = ingest::parse_uuid("01234567-89ab-cdef-0123-456789abcdef");
    const identity_map map({given});
    const std::array names{std::string("CN:a")};
    const credential* const who = map.by_certificate(names);
    REQUIRE(who != nullptr);
    CHECK(who->producers == std::vector<std::string>{"feed-a", "eu-*", "us 1"});
    CHECK(who->tenant == given.tenant);
    CHECK_FALSE(who->may_name_tenant);
}
