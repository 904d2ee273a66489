#include <catch2/catch_test_macros.hpp>

#include <string>

#include "daemon/address.h"

namespace {

using tickd::address;
using tickd::parse_address;
using tickd::to_text;

TEST_CASE("addresses are read and written in one form", "[address]") {
    for (const char* text :
         {"127.0.0.1:7450", "localhost:1", "db-1.example.org:65535", "[::1]:7450",
          "[fe80::1%eth0]:7450", "0.0.0.0:0", "unix:/run/tickd/tickd.sock"}) {
        INFO(text);
        const auto where = parse_address(text);
        REQUIRE(where.has_value());
        CHECK(to_text(*where) == text);
        CHECK(parse_address(to_text(*where)) == where);
    }
}

TEST_CASE("the parts of an address", "[address]") {
    const auto tcp = parse_address("[2001:db8::7]:443");
    REQUIRE(tcp.has_value());
    CHECK(tcp->kind == address::family::tcp);
    CHECK(tcp->host == "2001:db8::7");
    CHECK(tcp->port == 443);

    const auto local = parse_address("unix:/tmp/a b:c");
    REQUIRE(local.has_value());
    CHECK(local->kind == address::family::unix_socket);
    CHECK(local->path == "/tmp/a b:c");
}

TEST_CASE("what is no address says how to write one", "[address]") {
    struct {
        const char* text;
        const char* says;
    } const cases[] = {
        {"", "HOST:PORT"},
        {"localhost", "HOST:PORT"},
        {"localhost:", "port"},
        {"localhost:65536", "port"},
        {"localhost:-1", "port"},
        {"localhost:+1", "port"},
        {"localhost:80x", "port"},
        {":7450", "0.0.0.0"},
        {"::1:7450", "[::1]:7450"},
        {"[::1]", "[::1]:7450"},
        {"[::1]7450", "[::1]:7450"},
        {"[::1", "[::1]:7450"},
        {"[127.0.0.1]:80", "IPv6"},
        {"[fe80::1%]:80", "IPv6"},
        {"127.0.0.256:80", "IPv4"},
        {"127.1:80", "IPv4"},
        {"a b:80", "HOST:PORT"},
        {"http://host:80", "[::1]:7450"},
        {"unix:tickd.sock", "absolute"},
        {"unix:", "absolute"},
        {"unix:/run/", "folder"},
        {"/run/tickd.sock", "unix:/run/tickd.sock"},
    };
    for (const auto& each : cases) {
        INFO(each.text);
        const auto where = parse_address(each.text);
        REQUIRE_FALSE(where.has_value());
        CHECK(where.error().contains(each.says));
    }
}

TEST_CASE("a unix path must fit the system's structure", "[address]") {
    const std::string fits = "unix:/" + std::string(106, 'x');
    CHECK(parse_address(fits).has_value());
    CHECK_FALSE(parse_address(fits + 'x').has_value());
    CHECK_FALSE(parse_address(std::string{"unix:/a\0b", 9}).has_value());
    CHECK_FALSE(parse_address(std::string(254, 'a') + ":80").has_value());
}

}  // namespace
