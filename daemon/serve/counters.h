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
    counter reading_paused{};   // times a session had to wait for a block
    counter reading_limited{};  // times a session had to wait for its rate
    // Writer thread.
    counter batches_committed{};
    counter ticks_committed{};
    counter events_committed{};
    counter dead_letters_committed{};
    counter connects{};
    counter failures{};
    counter in_doubt{};
    std::atomic<bool> connected{false};
    // The spool's. Rows of spooled blocks are in none of the counts of commits until they are
    // committed; then they are in those and in spool_records_left.
    counter spooled_blocks{};       // put in by this process
    counter spooled_records{};      // ticks, events and dead letters in them
    counter spooled_bytes{};        // of their texts and rows
    counter spool_records_found{};  // in it when the process began
    counter spool_records_left{};   // taken out: committed
};

// Records that wait in a lane's spool. What a lane has received is then
//     received + found = committed (ticks, events, dead letters) + duplicate + spooled + in flight
[[nodiscard]] inline std::uint64_t records_spooled(const lane_counters& of) noexcept {
    const std::uint64_t in = read(of.spooled_records) + read(of.spool_records_found);
    const std::uint64_t out = read(of.spool_records_left);
    return in > out ? in - out : 0;
}

}  // namespace tickd
