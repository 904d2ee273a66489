#include "daemon/serve/sqlstate_counters.h"

#include <catch2/catch_test_macros.hpp>

#include <format>
#include <map>
#include <string>

using tickd::sqlstate_counters;

TEST_CASE("failures are counted by their state", "[sqlstate_counters]") {
    sqlstate_counters counters;
    counters.count("40001");
    counters.count("");
    counters.count("40001");
    counters.count("TK001");
    const auto seen = counters.read();
    const std::map<std::string, std::uint64_t> by_state(seen.begin(), seen.end());
    CHECK(by_state == std::map<std::string, std::uint64_t>{
                          {"40001", 2}, {"none", 1}, {"TK001", 1}, {"other", 0}});
}

TEST_CASE("states beyond the bound share one count", "[sqlstate_counters]") {
    sqlstate_counters counters;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i) counters.count(std::format("X{:04}", i));
    }
    const auto seen = counters.read();
    REQUIRE(seen.size() == sqlstate_counters::places + 1);
    for (std::size_t i = 0; i < sqlstate_counters::places; ++i) CHECK(seen[i].second == 2);
    CHECK(seen.back().first == "other");
    CHECK(seen.back().second == 2 * (100 - sqlstate_counters::places));
}
