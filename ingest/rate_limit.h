// A token bucket that holds one second's worth and may be overdrawn: who has taken more than there
// was is told how long to wait before the next. So what came in one piece is never cut, and the
// rate holds all the same.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace ingest {

// Any thread.
class rate_limit {
public:
    // 1 to 10^12 a second.
    explicit rate_limit(std::uint64_t per_second) noexcept : per_second_(per_second) {}

    // Takes up to 10^9 at the monotonic time `now_us` and gives the microseconds to wait; 0: none.
    [[nodiscard]] std::int64_t take(std::uint64_t amount, std::int64_t now_us) noexcept {
        const auto cost_ns = static_cast<std::int64_t>(amount * second_ns / per_second_);
        const std::int64_t now_ns = now_us * 1000;
        std::int64_t before = paid_until_ns_.load(std::memory_order_relaxed), after = 0;
        do {
            after = std::max(before, now_ns - static_cast<std::int64_t>(second_ns)) + cost_ns;
        } while (!paid_until_ns_.compare_exchange_weak(before, after, std::memory_order_relaxed));
        return std::max<std::int64_t>(after - now_ns + 999, 0) / 1000;
    }

    [[nodiscard]] std::uint64_t per_second() const noexcept { return per_second_; }

private:
    static constexpr std::uint64_t second_ns = 1'000'000'000;
    std::uint64_t per_second_;
    // The moment at which what was taken will have flowed in.
    std::atomic<std::int64_t> paid_until_ns_{INT64_MIN / 2};
};

}  // namespace ingest
