#include "daemon/serve/producer_figures.h"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace tickd;

TEST_CASE("a producer finds its figures again", "[producer_figures]") {
    producer_registry registry;
    add(registry.of("a").figures->received, 3);
    add(registry.of("b").figures->received, 4);
    add(registry.of("a").figures->received, 5);
    const auto all = registry.all();
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "a");
    CHECK(read(all[0].figures->received) == 8);
    CHECK(all[1].name == "b");
    CHECK(read(all[1].figures->received) == 4);
}

TEST_CASE("names beyond the bound share one set of figures", "[producer_figures]") {
    producer_registry registry{10};
    for (int i = 0; i < 100; ++i) {
        const auto entry = registry.of("feed-" + std::to_string(i));
        CHECK(entry.own == (i < 10));
        add(entry.figures->received, 1);
    }
    CHECK(registry.of("feed-3").own);
    const auto all = registry.all();
    REQUIRE(all.size() == 11);
    CHECK(all.back().name.empty());
    CHECK(read(all.back().figures->received) == 90);
}
