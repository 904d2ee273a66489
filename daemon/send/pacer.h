// When the next record is due at a fixed rate. The schedule is absolute: record n is due n / rate
// seconds after the start, so what was late is made up for and nothing drifts.
#pragma once

#include <chrono>
#include <cstdint>

namespace tickd {

class pacer {
public:
    using clock = std::chrono::steady_clock;

    // `per_second`: above 0, at most rate_max.
    pacer(double per_second, clock::time_point start) noexcept
        : per_second_{per_second}, start_{start} {}
    static constexpr double rate_max = 1e9;

    // Records that may have been sent by `now`, which is not before the start: the first at once.
    [[nodiscard]] std::uint64_t allowed(clock::time_point now) const noexcept {
        const std::chrono::duration<double> elapsed = now - start_;
        return static_cast<std::uint64_t>(elapsed.count() * per_second_) + 1;
    }

    // How long to wait until record number `sent` (from 0) may go: at least a millisecond, since
    // waking up more often costs a core at high rates, and at most a second, to look around.
    [[nodiscard]] std::chrono::milliseconds wait(std::uint64_t sent,
                                                 clock::time_point now) const noexcept {
        const std::chrono::duration<double> due{static_cast<double>(sent) / per_second_};
        const std::chrono::duration<double> left = due - (now - start_);
        if (left.count() >= 1) return std::chrono::seconds{1};
        const auto ms = static_cast<std::int64_t>(left.count() * 1000) + 1;
        return std::chrono::milliseconds{ms < 1 ? 1 : ms};
    }

private:
    double per_second_;
    clock::time_point start_;
};

}  // namespace tickd
