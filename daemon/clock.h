// The two clocks. Only the daemon's layer reads them.
#pragma once

#include <chrono>
#include <cstdint>

namespace tickd {

// Microseconds since 1970: for what is stored.
[[nodiscard]] inline std::int64_t unix_now_us() noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Microseconds that only grow: for waits and durations.
[[nodiscard]] inline std::int64_t monotonic_us() noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace tickd
