#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "daemon/serve/session_limits.h"
#include "ingest/rate_limit.h"

using ingest::rate_limit;

TEST_CASE("a second's worth goes at once, then the rate holds") {
    rate_limit limit(1000);
    constexpr std::int64_t begin = 50'000'000;
    CHECK(limit.take(1000, begin) == 0);
    CHECK(limit.take(1, begin) == 1000);
    CHECK(limit.take(0, begin + 1000) == 0);
    CHECK(limit.take(10, begin + 1000) == 10'000);
    // After a second without any, no more than a second's worth is there.
    CHECK(limit.take(1000, begin + 60'000'000) == 0);
    CHECK(limit.take(500, begin + 60'000'000) == 500'000);
}

TEST_CASE("a flow knows how many bytes come in so long") {
    using namespace std::chrono_literals;
    CHECK(tickd::flow_limit({}, {}).bytes_within(10ms, 100) == SIZE_MAX);
    CHECK(tickd::flow_limit(5000, {}).bytes_within(10ms, 130) == 6500);
    CHECK(tickd::flow_limit({}, 1'000'000).bytes_within(10ms, 130) == 10'000);
    CHECK(tickd::flow_limit(5000, 1000).bytes_within(10ms, 130) == 10);
    CHECK(tickd::flow_limit(1, {}).bytes_within(10ms, 0) == 0);
}

TEST_CASE("what comes in one piece is taken whole and paid for afterwards") {
    rate_limit limit(10);
    CHECK(limit.take(1000, 0) == 99'000'000);
    CHECK(limit.take(0, 98'999'999) == 1);
    CHECK(limit.take(0, 99'000'000) == 0);
}

TEST_CASE("the longest run at any rate is the rate and a second's worth") {
    for (const std::uint64_t per_second : {1ULL, 7ULL, 1000ULL, 999'983ULL, 1'000'000'000'000ULL}) {
        rate_limit limit(per_second);
        std::uint64_t taken = 0;
        std::int64_t now_us = 0;
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t amount = 1 + static_cast<std::uint64_t>(i * 37 % 100);
            now_us += limit.take(amount, now_us);
            taken += amount;
            // Waited out, everything has flowed in: no more than the first second came for nothing.
            REQUIRE(taken <=
                    per_second * (static_cast<std::uint64_t>(now_us) / 1'000'000 + 2) + 100);
        }
    }
}

TEST_CASE("threads that share a limit share its rate") {
    rate_limit limit(1'000'000);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&limit] {
            for (int j = 0; j < 25'000; ++j) static_cast<void>(limit.take(100, 0));
        });
    }
    for (std::thread& each : threads) each.join();
    // 10,000,000 taken, of which one second's worth was there.
    CHECK(limit.take(0, 0) == 9'000'000);
}
