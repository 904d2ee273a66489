// Sends at a fixed rate whatever the daemon does, and measures each tick from the moment it was due
// to the ack: a stall counts for every tick that it held up, also for those that could not be sent
// (no coordinated omission).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/report/latency_histogram.h"

namespace bench {

struct open_loop_plan {
    std::string address;  // HOST:PORT
    std::string producer = "bench";
    std::vector<std::string> lines;  // with `seq` 1, 2, ...
    std::uint64_t rate = 0;          // ticks a second
    std::uint64_t warm_up = 0;       // of the first so many nothing is recorded
};

struct open_loop_result {
    latency_histogram latency{};
    double seconds = 0;          // from the first tick's due time to the last ack
    std::int64_t behind_ns = 0;  // the longest that a tick was sent after it was due
};

// Throws as acked_connection does. One thread; it spins no longer than the kernel's timers are off.
[[nodiscard]] open_loop_result run_open_loop(const open_loop_plan& plan);

}  // namespace bench
