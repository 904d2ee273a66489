#include "ingest/tick_order.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <functional>
#include <random>
#include <string>
#include <tuple>

#include "tests/support/records.h"

using ingest::block;
using ingest::tick_order;
using ingest::tick_place;

namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;

struct made_tick {
    std::string symbol;
    std::int64_t time_us;
    int tenant;  // 0: none
};

// Blocks of `count` ticks, as many a block as it takes.
[[nodiscard]] std::vector<std::unique_ptr<block>> blocks_of(
    std::size_t count, const std::function<made_tick(std::size_t)>& make) {
    std::vector<std::unique_ptr<block>> blocks;
    for (std::size_t i = 0; i < count; ++i) {
        if (blocks.empty() || !blocks.back()->has_room()) {
            blocks.push_back(std::make_unique<block>());
            tickd::test::add_origin(*blocks.back(), {}, 0, 0);
        }
        const made_tick made = make(i);
        ingest::record tick;
        tick.symbol = made.symbol;
        tick.time_us = made.time_us;
        if (made.tenant != 0) {
            tick.tenant = tickd::test::uuid_of(static_cast<std::uint8_t>(made.tenant));
        }
        blocks.back()->keep(tick, "", now_us, 0);
    }
    return blocks;
}

struct whole_key {
    std::string tenant, symbol;
    std::int64_t time_us;
    std::uint32_t arrival;
    auto operator<=>(const whole_key&) const = default;
};

[[nodiscard]] whole_key key_of(const tick_place& at) {
    const ingest::tick_row& row = at.in->ticks()[at.row];
    const ingest::uuid* const tenant = at.in->tenant(row.tenant);
    return {.tenant = tenant == nullptr ? "" : to_text(*tenant),
            .symbol = std::string(at.in->text(row.symbol)),
            .time_us = row.time_us,
            .arrival = at.arrival};
}

void check(tick_order& order, const std::vector<std::unique_ptr<block>>& blocks) {
    order.arrange(blocks);
    std::size_t ticks = 0;
    for (const auto& in : blocks) ticks += in->ticks().size();
    REQUIRE(order.places().size() == ticks);
    std::vector<whole_key> keys;
    std::vector<bool> seen(ticks);
    for (const tick_place& at : order.places()) {
        REQUIRE(at.time_us == at.in->ticks()[at.row].time_us);
        REQUIRE_FALSE(seen[at.arrival]);
        seen[at.arrival] = true;
        keys.push_back(key_of(at));
    }
    REQUIRE(std::ranges::is_sorted(keys));
    // Arrivals count in the order of blocks and rows.
    std::vector<std::tuple<std::size_t, const block*, std::uint32_t>> arrived;
    for (const tick_place& at : order.places()) arrived.emplace_back(at.arrival, at.in, at.row);
    std::ranges::sort(arrived);
    std::size_t next = 0;
    for (const auto& in : blocks) {
        for (std::uint32_t row = 0; row < in->ticks().size(); ++row, ++next) {
            const bool in_order = arrived[next] == std::tuple{next, in.get(), row};
            REQUIRE(in_order);
        }
    }
}

}  // namespace

TEST_CASE("symbols and tenants, in time and late, at every size", "[tick_order]") {
    std::mt19937_64 random(20'241'125);  // NOLINT(*-msc51-cpp): the same ticks every time
    tick_order order;                    // its memory is used again and again
    for (const std::size_t count :
         {0U, 1U, 2U, 3U, 100U, 2'047U, 2'048U, 2'049U, 9'000U, 50U, 1U}) {
        for (const std::uint64_t late_in_100 : {0U, 5U, 100U}) {
            check(order, blocks_of(count, [&](std::size_t i) {
                      const auto ahead = static_cast<std::int64_t>(i / 3);
                      const bool late = random() % 100 < late_in_100;
                      const auto back = late ? static_cast<std::int64_t>(random() % 500) : 0;
                      return made_tick{.symbol = std::format("SYMBOL{}", random() % 40),
                                       .time_us = now_us + ahead - back,
                                       .tenant = static_cast<int>(random() % 3)};
                  }));
        }
    }
}

TEST_CASE("one tick far ahead makes all that follow late", "[tick_order]") {
    tick_order order;
    check(order, blocks_of(5'000, [](std::size_t i) {
              const auto at = static_cast<std::int64_t>(i);
              return made_tick{"EURUSD", i == 7 ? now_us * 2 : now_us + at * 7 % 4'999, 0};
          }));
}

TEST_CASE("as many symbols as ticks are compared, not piled", "[tick_order]") {
    tick_order order;
    check(order, blocks_of(40'000, [](std::size_t i) {
              return made_tick{std::format("S{}", i * 7'919 % 39'999), now_us, 0};
          }));
}
