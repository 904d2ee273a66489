#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "bench/report/latency_histogram.h"
#include "bench/report/statistics.h"

namespace {

using namespace bench;

TEST_CASE("the median is the middle run, or the mean of the two in the middle", "[bench]") {
    const summary odd = summarize({3, 1, 10});
    CHECK(odd.median == 3);
    CHECK(odd.least == 1);
    CHECK(odd.most == 10);
    CHECK(odd.runs == 3);
    CHECK(odd.spread() == 3);
    CHECK(summarize({4, 1, 2, 8}).median == 3);
    CHECK(summarize({7}).median == 7);
    CHECK(summarize({}).runs == 0);
    CHECK(summarize({}).spread() == 0);
}

TEST_CASE("small latencies are counted exactly", "[bench]") {
    latency_histogram histogram;
    CHECK(histogram.quantile_ns(0.5) == 0);
    for (int ns = 1; ns <= 100; ++ns) histogram.add(ns);
    CHECK(histogram.count() == 100);
    CHECK(histogram.quantile_ns(0) == 1);
    CHECK(histogram.quantile_ns(0.5) == 50);
    CHECK(histogram.quantile_ns(0.99) == 99);
    CHECK(histogram.quantile_ns(1) == 100);
}

TEST_CASE("a quantile is never below the truth and at most one part in 128 above", "[bench]") {
    std::mt19937_64 random(1);
    std::vector<double> values;
    latency_histogram histogram;
    for (int i = 0; i < 20'000; ++i) {
        // From nanoseconds to minutes, each doubling alike.
        const auto ns = static_cast<std::int64_t>(random() >> (25 + random() % 38));
        values.push_back(static_cast<double>(ns));
        histogram.add(ns);
    }
    std::ranges::sort(values);
    for (const double q : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(q * 20'000)) - 1;
        const auto found = static_cast<double>(histogram.quantile_ns(q));
        CAPTURE(q, values[rank], found);
        CHECK(found >= values[rank]);
        CHECK(found <= values[rank] * (1 + 1.0 / 128));
    }
    CHECK(static_cast<double>(histogram.most_ns()) == values.back());
}

TEST_CASE("latencies out of range are kept at the ends", "[bench]") {
    latency_histogram histogram;
    histogram.add(-5, 2);
    histogram.add(INT64_MAX);
    CHECK(histogram.count() == 3);
    CHECK(histogram.quantile_ns(0.5) == 0);
    CHECK(histogram.quantile_ns(1) == (std::int64_t{1} << 42) - 1);
}

}  // namespace
