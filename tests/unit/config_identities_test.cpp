// Who may send, as the configuration says it: identities, and what listeners need of each other's
// settings.
#include <catch2/catch_test_macros.hpp>

#include <string>

#include "daemon/config/config.h"
#include "tests/unit/temporary_folder.h"

using namespace tickd;

namespace {

loaded_config load_text(std::string_view yaml) {
    const tests::temporary_folder folder;
    return load_config({.file = folder.file("tickd.yaml", yaml), .environment = {}});
}

// Without the file's name.
std::string problems_of(std::string_view yaml) {
    std::string all;
    for (const config_problem& each : load_text(yaml).problems) {
        all += std::to_string(each.line) + ": " + each.setting + ": " + each.message + '\n';
    }
    return all;
}

}  // namespace

TEST_CASE("identities are read, and printed so that they read the same", "[config]") {
    const auto loaded = load_text(R"(
identities:
  - name: local
    user: root
    group: 0
    producers: "feed-a, eu-*"
    tenant: 01234567-89ab-cdef-0123-456789abcdef
  - name: remote
    certificate: "DNS:*.feeds.example"
    tenant_from_payload: true
)");
    CHECK(to_text(loaded.problems).empty());
    REQUIRE(loaded.value.identities.size() == 2);
    CHECK(loaded.value.identities[0].producers == "feed-a, eu-*");
    CHECK(loaded.value.identities[0].tenant.has_value());
    CHECK(loaded.value.identities[1].certificate == "DNS:*.feeds.example");
    const std::string printed = to_yaml(loaded.value);
    const auto again = load_text(printed);
    CHECK(to_text(again.problems).empty());
    CHECK(to_yaml(again.value) == printed);
}

TEST_CASE("what is wrong with an identity is said with its line", "[config]") {
    CHECK(problems_of("identities: 3\n").contains("must be a list"));
    CHECK(problems_of("identities:\n  - name: x\n    usr: 0\n")
              .contains("3: identities[0].usr: no such setting; did you mean user?"));
    CHECK(problems_of("identities:\n  - user: 0\n").contains("2: identities[0]: needs a name"));
    CHECK(problems_of("identities:\n  - name: x\n").contains("either a certificate or"));
    CHECK(problems_of("identities:\n  - name: x\n    user: 0\n    certificate: CN:x\n")
              .contains("either a certificate or"));
    CHECK(problems_of("identities:\n  - name: x\n    user: no such one\n")
              .contains("this system has no user no such one"));
    CHECK(problems_of("identities:\n  - name: x\n    user: 0\n    tenant_from_payload: true\n"
                      "    tenant: 01234567-89ab-cdef-0123-456789abcdef\n")
              .contains("speaks for no other"));
}

TEST_CASE("a listener's credential decides, so its own tenant stays out", "[config]") {
    const std::string token = "listeners:\n  - address: 127.0.0.1:1\n    auth: token\n";
    CHECK(problems_of(token).empty());
    CHECK(problems_of(token + "    tenant_from_payload: true\n").contains("listeners[0].auth"));
    CHECK(problems_of(token + "    tenant: 01234567-89ab-cdef-0123-456789abcdef\n")
              .contains("listeners[0].auth"));
}

TEST_CASE("peer and mtls need what they rest on", "[config]") {
    const std::string me = "identities:\n  - name: me\n    user: 0\n";
    CHECK(problems_of("listeners:\n  - address: unix:/x\n    auth: peer\n" + me).empty());
    CHECK(problems_of("listeners:\n  - address: 127.0.0.1:1\n    auth: peer\n" + me)
              .contains("peer needs a unix socket"));
    CHECK(problems_of("listeners:\n  - address: unix:/x\n    auth: peer\n")
              .contains("nobody could use it"));
    const std::string pair =
        "listeners:\n  - address: 127.0.0.1:1\n    tls_certificate: c\n    tls_key: k\n";
    CHECK(problems_of(pair).empty());
    CHECK(problems_of("listeners:\n  - address: 127.0.0.1:1\n    tls_certificate: c\n")
              .contains("needs both"));
    CHECK(problems_of(pair + "    auth: mtls\n" + me).contains("auth: mtls needs a tls_client_ca"));
    CHECK(problems_of(pair + "    auth: mtls\n    tls_client_ca: ca\n" + me)
              .contains("none of the identities has a certificate"));
    CHECK(problems_of(pair + "    auth: mtls\n    tls_client_ca: ca\n"
                             "identities:\n  - name: x\n    certificate: CN:x\n")
              .empty());
}

TEST_CASE("limits are numbers, or none", "[config]") {
    const auto loaded = load_text(
        "limits:\n  session_lines_per_second: 5000\n  tenant_bytes_per_second: 1MiB\n"
        "  tenant_sessions: none\n  idle_timeout: 5m\n");
    CHECK(to_text(loaded.problems).empty());
    CHECK(loaded.value.limits.session_lines_per_second == 5000U);
    CHECK(loaded.value.limits.tenant_bytes_per_second == 1024U * 1024);
    CHECK_FALSE(loaded.value.limits.tenant_sessions);
    CHECK(problems_of("limits:\n  session_lines_per_second: 0\n").contains("or none"));
}
