// What a lane counts. Written by the lane's own threads, read by whoever observes; every figure is
// added once per block or rarer, never once per record.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "ingest/verdict.h"

namespace tickd {

using counter = std::atomic<std::uint64_t>;

inline void add(counter& to, std::uint64_t amount) noexcept {
    to.fetch_add(amount, std::memory_order_relaxed);
}
[[nodiscard]] inline std::uint64_t read(const counter& from) noexcept {
    return from.load(std::memory_order_relaxed);
}

struct lane_counters {
    // Session thread.
    counter bytes_received{};
    counter records_received{};
    counter records_accepted{};
    counter records_duplicate{};
    std::array<counter, ingest::verdict_count> refused{};  // by verdict; [accepted] stays 0
    counter sessions_opened{};
    counter sessions_closed{};
    counter reading_paused{};  // times a session had to wait for a block
    // Writer thread.
    counter batches_committed{};
    counter ticks_committed{};
    counter events_committed{};
    counter dead_letters_committed{};
    counter connects{};
    counter failures{};
    counter in_doubt{};
    std::atomic<bool> connected{false};
};

}  // namespace tickd
