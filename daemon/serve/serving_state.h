// What the main thread says of the daemon as a whole, for whoever observes.
#pragma once

#include <atomic>
#include <cstdint>

namespace tickd {

struct serving_state {
    std::atomic<bool> stopping{false};
    std::atomic<std::int64_t> main_alive_us{0};  // monotonic: when the main thread last came round
    std::atomic<std::uint64_t> reloads{0};       // configurations taken
    std::atomic<std::uint64_t> reloads_refused{0};
};

}  // namespace tickd
