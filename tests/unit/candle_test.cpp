#include "ingest/candle.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

using namespace ingest;

namespace {

struct quote {
    std::int64_t time_us;
    int128 mid;
    std::optional<int128> volume;
};

candle_set candles_of(const std::vector<quote>& quotes) {
    candle_set made;
    for (const quote& each : quotes) {
        made.add({}, "S", each.time_us, each.mid, each.volume ? &*each.volume : nullptr);
    }
    return made;
}

}  // namespace

TEST_CASE("a minute begins where it begins, before 1970 too") {
    CHECK(minute_of(0) == 0);
    CHECK(minute_of(59'999'999) == 0);
    CHECK(minute_of(60'000'000) == 60'000'000);
    CHECK(minute_of(-1) == -60'000'000);
    CHECK(minute_of(-60'000'000) == -60'000'000);
}

TEST_CASE("a candle has the first, highest, lowest and last mid of its minute") {
    const candle_set made = candles_of({{10, 5, {}},
                                        {20, 9, int128{2}},
                                        {30, 1, int128{3}},
                                        {59'999'999, 4, {}},
                                        {60'000'000, 7, {}}});
    REQUIRE(made.all().size() == 2);
    const auto& [key, first] = *made.all().begin();
    CHECK(key == candle_key{"S", {}, 0});
    CHECK(first.open == 5);
    CHECK(first.high == 9);
    CHECK(first.low == 1);
    CHECK(first.close == 4);
    CHECK(first.first_us == 10);
    CHECK(first.last_us == 59'999'999);
    CHECK(first.tick_count == 4);
    CHECK(first.has_volume);
    CHECK(first.volume == 5);
    CHECK(first.volume_value == 2 * 9 + 3 * 1);
    CHECK_FALSE(made.all().rbegin()->second.has_volume);
}

TEST_CASE("of ticks at one time the lowest opens and the highest closes") {
    const candle_set made = candles_of({{10, 5, {}}, {10, 3, {}}, {10, 8, {}}});
    CHECK(made.all().begin()->second.open == 3);
    CHECK(made.all().begin()->second.close == 8);
}

TEST_CASE("no order of arrival changes a candle") {
    std::mt19937 random(7);
    std::vector<quote> quotes;
    for (int i = 0; i < 60; ++i) {
        quotes.push_back({static_cast<std::int64_t>(random() % 20) * 10'000'000,
                          static_cast<int128>(random() % 7) - 3,
                          random() % 2 == 0 ? std::optional<int128>(random() % 5) : std::nullopt});
    }
    const candle_set sorted = candles_of(quotes);
    for (int round = 0; round < 50; ++round) {
        std::ranges::shuffle(quotes, random);
        const candle_set shuffled = candles_of(quotes);
        REQUIRE(shuffled.all().size() == sorted.all().size());
        auto other = sorted.all().begin();
        for (const auto& [key, made] : shuffled.all()) {
            CHECK(key == other->first);
            CHECK(made.open == other->second.open);
            CHECK(made.close == other->second.close);
            CHECK(made.high == other->second.high);
            CHECK(made.low == other->second.low);
            CHECK(made.volume_value == other->second.volume_value);
            ++other;
        }
    }
}

TEST_CASE("a tenant and a symbol have candles of their own") {
    candle_set made;
    const uuid tenant{{1}};
    made.add({}, "A", 1, 1, nullptr);
    made.add(tenant, "A", 1, 2, nullptr);
    made.add(tenant, "B", 1, 3, nullptr);
    made.add({}, "A", 2, 4, nullptr);
    REQUIRE(made.all().size() == 3);
    CHECK(made.all().at({"A", {}, 0}).close == 4);
    CHECK(made.all().at({"A", tenant, 0}).close == 2);
    CHECK(made.all().at({"B", tenant, 0}).close == 3);
}

TEST_CASE("the largest prices and volumes keep every digit") {
    candle_set made;
    const int128 volume = volume_limit - 1;
    made.add({}, "A", 1, price_limit - 1, &volume);
    made.add({}, "A", 2, price_limit - 1, &volume);
    made.add({}, "B", 1, 1 - price_limit, &volume);
    // (10^30 - 1) * (10^20 - 1), twice, as 10^-16.
    CHECK(to_text(made.all().at({"A", {}, 0}).volume_value) ==
          "19999999999999999999799999999980000.0000000000000002");
    CHECK(to_text(made.all().at({"B", {}, 0}).volume_value) ==
          "-9999999999999999999899999999990000.0000000000000001");
    CHECK(to_text(wide_sum(0)) == "0.0000000000000000");
    CHECK(to_text(wide_sum(-1)) == "-0.0000000000000001");
}
