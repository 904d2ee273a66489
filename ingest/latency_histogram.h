// How long things took, counted in log-linear buckets: exact below 32, then 32 buckets a doubling,
// so that every quantile is known to 1/32 of itself, over eleven decades in 8 KiB.
//
// Made for microseconds; whatever else is not negative and spreads over decades (rows of a batch)
// is counted the same way.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace ingest {

class latency_buckets {
public:
    static constexpr unsigned fine_bits = 5;
    static constexpr std::int64_t fine = std::int64_t{1} << fine_bits;  // buckets a doubling
    static constexpr unsigned value_bits = 37;                          // of microseconds: 38 hours
    static constexpr std::int64_t value_max = (std::int64_t{1} << value_bits) - 1;
    static constexpr std::size_t count = (value_bits - fine_bits + 1) * fine;

    // Values out of range count as the nearest in range.
    [[nodiscard]] static constexpr std::size_t index_of(std::int64_t value) noexcept {
        const auto in_range =
            static_cast<std::uint64_t>(std::clamp<std::int64_t>(value, 0, value_max));
        if (in_range < fine) return in_range;
        const auto shift = static_cast<unsigned>(std::bit_width(in_range)) - 1 - fine_bits;
        return static_cast<std::size_t>(shift) * fine + (in_range >> shift);
    }
    // The least value in a bucket; of `count`: the first beyond all.
    [[nodiscard]] static constexpr std::int64_t lowest(std::size_t index) noexcept {
        const auto place = static_cast<std::int64_t>(index);
        if (place < 2 * fine) return place;
        const std::int64_t shift = place / fine - 1;
        return (place - shift * fine) << shift;
    }
    [[nodiscard]] static constexpr std::int64_t highest(std::size_t index) noexcept {
        return lowest(index + 1) - 1;
    }
};

// A histogram as it was at one moment.
struct latency_snapshot {
    std::array<std::uint64_t, latency_buckets::count> counts{};
    std::uint64_t total = 0;  // of counts
    std::uint64_t sum = 0;    // of the values, exact
    std::int64_t longest = 0;

    // The least value that at least `part` (0 to 1) of what was recorded does not pass, and at most
    // 1/32 more than it; 0 when nothing was.
    [[nodiscard]] std::int64_t quantile(double part) const noexcept {
        if (total == 0) return 0;
        const double wanted = std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(total));
        const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, total);
        std::uint64_t passed = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            passed += counts[i];
            if (passed >= rank) return std::min(latency_buckets::highest(i), longest);
        }
        return longest;
    }

    // What was recorded of values below `bound`; exact for 0 to 64 and multiples of a 32nd of the
    // power of two below.
    [[nodiscard]] std::uint64_t below(std::int64_t bound) const noexcept {
        std::uint64_t found = 0;
        for (std::size_t i = 0; i < counts.size() && latency_buckets::highest(i) < bound; ++i) {
            found += counts[i];
        }
        return found;
    }

    void merge(const latency_snapshot& other) noexcept {
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
        total += other.total;
        sum += other.sum;
        longest = std::max(longest, other.longest);
    }
};

// One thread records, any thread reads; neither waits.
class latency_histogram {
public:
    // `weight`: how many times the value counts, as the rows of a block.
    void record(std::int64_t value, std::uint64_t weight = 1) noexcept {
        const std::int64_t kept = std::clamp<std::int64_t>(value, 0, latency_buckets::value_max);
        grow(counts_[latency_buckets::index_of(kept)], weight);
        grow(sum_, static_cast<std::uint64_t>(kept) * weight);
        if (kept > longest_.load(std::memory_order_relaxed)) {
            longest_.store(kept, std::memory_order_relaxed);
        }
    }

    // `total` is that of `counts`; `sum` and `longest` may be ahead by what is recorded meanwhile.
    [[nodiscard]] latency_snapshot read() const noexcept {
        latency_snapshot seen;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen.counts[i] = counts_[i].load(std::memory_order_relaxed);
            seen.total += seen.counts[i];
        }
        seen.sum = sum_.load(std::memory_order_relaxed);
        seen.longest = longest_.load(std::memory_order_relaxed);
        return seen;
    }

private:
    // With one writing thread a plain store will do, which costs no lock of the bus.
    static void grow(std::atomic<std::uint64_t>& to, std::uint64_t amount) noexcept {
        to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    std::array<std::atomic<std::uint64_t>, latency_buckets::count> counts_{};
    std::atomic<std::uint64_t> sum_{0};
    std::atomic<std::int64_t> longest_{0};
};

static_assert(latency_buckets::index_of(latency_buckets::value_max) == latency_buckets::count - 1);
static_assert(latency_buckets::index_of(63) == 63 && latency_buckets::index_of(64) == 64);
static_assert(latency_buckets::lowest(latency_buckets::index_of(1'000'000)) <= 1'000'000);

}  // namespace ingest
