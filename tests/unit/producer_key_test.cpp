#include <catch2/catch_test_macros.hpp>

#include "ingest/producer_key.h"

using namespace ingest;

TEST_CASE("a producer without a tenant goes by its name alone") {
    CHECK(producer_key("feed a", std::nullopt) == "feed a");
    CHECK(producer_name_of("feed a") == "feed a");
    CHECK_FALSE(producer_tenant_of("feed a"));
}

TEST_CASE("a key gives name and tenant back, and tenants have keys of their own") {
    const auto one = parse_uuid("01234567-89ab-cdef-0123-456789abcdef");
    const auto other = parse_uuid("01234567-89ab-cdef-0123-456789abcdee");
    const std::string key = producer_key("feed-a", one);
    CHECK(producer_name_of(key) == "feed-a");
    CHECK(producer_tenant_of(key) == one);
    CHECK(key != producer_key("feed-a", other));
    CHECK(key != producer_key("feed-a", std::nullopt));
}
