#include "bench/report/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

// Below 2 * sub_buckets a bucket a value. Above, the highest bit picks the doubling and the
// sub_bits that follow it the bucket within.
std::size_t latency_histogram::bucket_of(std::uint64_t ns) noexcept {
    if (ns < sub_buckets) return ns;
    const auto doubling = static_cast<unsigned>(std::bit_width(ns)) - sub_bits - 1;
    return doubling * sub_buckets + (ns >> doubling);
}

std::uint64_t latency_histogram::end_of(std::size_t bucket) noexcept {
    if (bucket < 2 * sub_buckets) return bucket;
    const std::size_t doubling = bucket / sub_buckets - 1;
    return ((bucket - doubling * sub_buckets + 1) << doubling) - 1;
}

void latency_histogram::add(std::int64_t ns, std::uint64_t times) noexcept {
    constexpr std::int64_t ceiling = (std::int64_t{1} << value_bits) - 1;
    const std::int64_t value = std::clamp<std::int64_t>(ns, 0, ceiling);
    counts_[bucket_of(static_cast<std::uint64_t>(value))] += times;
    count_ += times;
    most_ns_ = std::max(most_ns_, value);
}

std::int64_t latency_histogram::quantile_ns(double q) const noexcept {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(
        std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts_[i];
        if (seen >= std::max<std::uint64_t>(rank, 1)) {
            return std::min(static_cast<std::int64_t>(end_of(i)), most_ns_);
        }
    }
    return most_ns_;
}

}  // namespace bench
