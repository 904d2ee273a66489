#include <catch2/catch_test_macros.hpp>

#include <map>
#include <set>
#include <string>

#include "daemon/db/seed_model.h"

using namespace tickd;

namespace {

constexpr std::int64_t until_us = 1'725'000'000'000'000;

seed_options options(std::uint64_t ticks, std::uint32_t tenants, std::uint64_t seed = 1) {
    return {.ticks = ticks, .tenants = tenants, .seed = seed, .until_us = until_us};
}

}  // namespace

TEST_CASE("seed decimals have eight places") {
    CHECK(seed_decimal(0) == "0.00000000");
    CHECK(seed_decimal(1) == "0.00000001");
    CHECK(seed_decimal(-1) == "-0.00000001");
    CHECK(seed_decimal(6'512'345'000'000) == "65123.45000000");
    CHECK(seed_decimal(-250'000'000) == "-2.50000000");
}

TEST_CASE("the model gives exactly the ticks asked for, in slices sorted by symbol and time") {
    for (const std::uint64_t count : {0U, 1U, 7U, 199U, 50'000U, 123'457U}) {
        INFO(count);
        seed_model model(options(count, 2));
        std::uint64_t given = 0;
        std::uint64_t descents = 0;  // one at each change of symbol, at most
        std::uint64_t bad = 0;
        std::map<std::string, std::int64_t> newest;
        std::string previous;
        seed_tick tick;
        while (model.next(tick)) {
            ++given;
            if (tick.bid <= 0 || tick.ask <= tick.bid || tick.mid < tick.bid || tick.volume <= 0 ||
                tick.time_us < until_us - seed_model::span_us || tick.time_us >= until_us ||
                tick.symbol.size() > 20) {
                ++bad;
            }
            std::int64_t& last = newest[std::string(tick.symbol)];
            if (tick.time_us < last) ++bad;  // time never goes back within a symbol
            last = tick.time_us;
            if (tick.symbol != previous) ++descents;
            previous = tick.symbol;
        }
        CHECK(given == count);
        CHECK(bad == 0);
        CHECK(descents <= 36 * (count / 50'000 + 1));
        CHECK_FALSE(model.next(tick));
    }
}

TEST_CASE("tenants have names and ids of their own, portfolios distinct symbols") {
    const seed_model model(options(0, 20));
    std::set<std::string> ids, names;
    for (const seed_tenant& tenant : model.tenants()) {
        ids.insert(tenant.id);
        names.insert(tenant.name);
        CHECK(tenant.id.size() == 36);
        CHECK(tenant.id[14] == '4');
    }
    CHECK(ids.size() == 20);
    CHECK(names.size() == 20);
    REQUIRE(model.portfolios().size() == 60);
    for (const seed_portfolio& portfolio : model.portfolios()) {
        std::set<std::string_view> symbols;
        for (const seed_position& position : portfolio.positions) {
            symbols.insert(position.symbol);
            CHECK(position.quantity != 0);
            CHECK(position.average_price > 0);
        }
        CHECK(symbols.size() == portfolio.positions.size());
        CHECK(symbols.size() >= 6);
        ids.insert(portfolio.id);
    }
    CHECK(ids.size() == 80);
}

TEST_CASE("events ascend, and the same seed gives the same ones") {
    seed_model first(options(20'000, 2)), second(options(20'000, 2)), other(options(20'000, 2, 2));
    seed_event a, b, c;
    std::uint64_t count = 0, differ = 0;
    std::int64_t last_us = 0;
    while (first.next(a)) {
        ++count;
        REQUIRE(second.next(b));
        REQUIRE(other.next(c));
        CHECK(a.time_us == b.time_us);
        CHECK(a.payload == b.payload);
        CHECK(a.session_id == b.session_id);
        if (a.payload != c.payload) ++differ;
        CHECK(a.time_us >= last_us);
        CHECK(a.created_us > a.time_us);
        CHECK(a.payload.find('\\') == std::string::npos);  // COPY's text form is written as it is
        last_us = a.time_us;
    }
    CHECK(count == 1'000);
    CHECK(count == first.event_count());
    CHECK(differ > 900);
}
