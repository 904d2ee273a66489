// The histogram of latencies: what it says of quantiles, against the sorted values themselves.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_adapters.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "ingest/latency_histogram.h"

namespace {

using ingest::latency_buckets;
using ingest::latency_histogram;
using ingest::latency_snapshot;

// Over all decades alike.
std::vector<std::int64_t> spread_values(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 random{seed};
    std::uniform_real_distribution<double> bits{0, latency_buckets::value_bits};
    std::vector<std::int64_t> values(count);
    for (auto& each : values) each = static_cast<std::int64_t>(std::exp2(bits(random)) - 1);
    return values;
}

// Never below the true one, and at most a 32nd above.
void check_quantile(const latency_snapshot& seen, const std::vector<std::int64_t>& sorted,
                    double part) {
    const auto rank = static_cast<std::size_t>(
        std::max(1.0, std::ceil(part * static_cast<double>(sorted.size()))));
    const std::int64_t exact = sorted[rank - 1];
    const std::int64_t said = seen.quantile(part);
    CAPTURE(part, exact, said);
    CHECK(said >= exact);
    CHECK(said <= exact + exact / latency_buckets::fine);
}

}  // namespace

TEST_CASE("buckets follow each other without gap or overlap", "[latency_histogram]") {
    for (std::size_t i = 0; i < latency_buckets::count; ++i) {
        const std::int64_t low = latency_buckets::lowest(i), high = latency_buckets::highest(i);
        REQUIRE(low <= high);
        REQUIRE(latency_buckets::index_of(low) == i);
        REQUIRE(latency_buckets::index_of(high) == i);
        REQUIRE(high - low <= low / latency_buckets::fine);
    }
    CHECK(latency_buckets::lowest(0) == 0);
    CHECK(latency_buckets::highest(latency_buckets::count - 1) == latency_buckets::value_max);
}

TEST_CASE("quantiles are the true ones to a 32nd", "[latency_histogram]") {
    const auto seed = GENERATE(Catch::Generators::range(1, 40));
    CAPTURE(seed);
    auto values =
        spread_values(static_cast<std::uint64_t>(seed), static_cast<std::size_t>(seed * seed));
    const auto histogram = std::make_unique<latency_histogram>();
    for (const std::int64_t each : values) histogram->record(each);
    std::ranges::sort(values);
    const auto seen = std::make_unique<latency_snapshot>(histogram->read());
    CHECK(seen->total == values.size());
    CHECK(seen->longest == values.back());
    for (const double part : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        check_quantile(*seen, values, part);
    }
}

TEST_CASE("a weight counts as so many values", "[latency_histogram]") {
    const auto values = spread_values(7, 200);
    const auto weighed = std::make_unique<latency_histogram>();
    const auto repeated = std::make_unique<latency_histogram>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        weighed->record(values[i], i % 5);
        for (std::size_t n = 0; n < i % 5; ++n) repeated->record(values[i]);
    }
    const auto a = std::make_unique<latency_snapshot>(weighed->read());
    const auto b = std::make_unique<latency_snapshot>(repeated->read());
    CHECK(a->counts == b->counts);
    CHECK(a->total == b->total);
    CHECK(a->sum == b->sum);
}

TEST_CASE("what is below a power of two is exact", "[latency_histogram]") {
    const auto values = spread_values(11, 5000);
    const auto histogram = std::make_unique<latency_histogram>();
    for (const std::int64_t each : values) histogram->record(each);
    const auto seen = std::make_unique<latency_snapshot>(histogram->read());
    for (unsigned bit = 0; bit <= latency_buckets::value_bits; ++bit) {
        const std::int64_t bound = std::int64_t{1} << bit;
        CAPTURE(bound);
        CHECK(seen->below(bound) == static_cast<std::uint64_t>(std::ranges::count_if(
                                        values, [=](std::int64_t each) { return each < bound; })));
    }
}

TEST_CASE("values out of range count at its ends", "[latency_histogram]") {
    const auto histogram = std::make_unique<latency_histogram>();
    histogram->record(-5);
    histogram->record(latency_buckets::value_max + 1);
    const auto seen = std::make_unique<latency_snapshot>(histogram->read());
    CHECK(seen->counts.front() == 1);
    CHECK(seen->counts.back() == 1);
    CHECK(seen->longest == latency_buckets::value_max);
    CHECK(std::make_unique<latency_snapshot>()->quantile(0.5) == 0);
}

TEST_CASE("histograms add up", "[latency_histogram]") {
    const auto values = spread_values(13, 1000);
    const auto one = std::make_unique<latency_histogram>();
    const auto other = std::make_unique<latency_histogram>();
    const auto both = std::make_unique<latency_histogram>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        (i % 3 == 0 ? one : other)->record(values[i]);
        both->record(values[i]);
    }
    const auto sum = std::make_unique<latency_snapshot>(one->read());
    sum->merge(other->read());
    const auto seen = std::make_unique<latency_snapshot>(both->read());
    CHECK(sum->counts == seen->counts);
    CHECK(sum->total == seen->total);
    CHECK(sum->sum == seen->sum);
    CHECK(sum->longest == seen->longest);
}

// For ThreadSanitizer too: a reader sees counts that only grow, and in the end all of them.
TEST_CASE("it is read while it is written", "[latency_histogram]") {
    constexpr std::uint64_t records = 200'000;
    const auto histogram = std::make_unique<latency_histogram>();
    std::jthread writer([&] {
        for (std::uint64_t i = 0; i < records; ++i) {
            histogram->record(static_cast<std::int64_t>(i % 5000));
        }
    });
    std::uint64_t before = 0;
    while (before < records) {
        const auto seen = std::make_unique<latency_snapshot>(histogram->read());
        REQUIRE(seen->total >= before);
        before = seen->total;
    }
    CHECK(before == records);
}
