// What a lane counts. Written by the lane's own threads, read by whoever observes; every figure is
// added once per block or rarer, never once per record.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/serve/sqlstate_counters.h"
#include "ingest/latency_histogram.h"
#include "ingest/session_messages.h"
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
    counter blocks_sealed{};    // sent to the writer
    counter acks_sent{};        // lines, each for everything up to its seq
    counter rejects_sent{};
    counter bytes_sent{};
    // Writer thread.
    counter batches_committed{};
    counter ticks_committed{};
    counter events_committed{};
    counter dead_letters_committed{};
    counter connects{};
    counter failures{};
    counter in_doubt{};
    counter in_doubt_committed{};  // of them, those the ledger knew
    counter blocks_taken{};        // out of the ring
    counter blocks_returned{};     // to the session thread: committed or in the spool
    counter records_returned{};    // ticks, events and dead letters in them
    counter records_left_out{};    // of producers that another daemon has taken
    std::atomic<std::int64_t> committed_at_us{0};  // the newest commit, since 1970; 0: none
    std::atomic<bool> connected{false};
    sqlstate_counters failures_by_state{};
    // The spool's. Rows of spooled blocks are in none of the counts of commits until they are
    // committed; then they are in those and in spool_records_left.
    counter spooled_blocks{};        // put in by this process
    counter spooled_records{};       // ticks, events and dead letters in them
    counter spooled_bytes{};         // of their texts and rows
    counter spool_records_found{};   // in it when the process began
    counter spool_records_left{};    // taken out: committed
    counter spool_records_passed{};  // of those, found committed already: in no count of commits
    counter spool_records_held{};    // now in the spool and in a batch in memory as well
    counter spool_bytes{};           // of its files, now
};

// How long things took, in microseconds, and how large batches were. Read while they are written.
struct lane_timings {
    // Session thread.
    ingest::latency_histogram seal;  // from a block's oldest record until it is sent
    // Writer thread.
    ingest::latency_histogram ring;     // from there until the writer has it
    ingest::latency_histogram prepare;  // sorting and encoding a batch
    ingest::latency_histogram commit;   // a batch's transaction, when it succeeded
    // From the receipt of a block's oldest record until it was committed: each block counted once,
    // and as often as it has records.
    ingest::latency_histogram block_age, record_age;
    ingest::latency_histogram batch_rows;
};

// What the door counts for each listener. Main thread; a place is given back on any thread.
struct listener_counters {
    std::atomic<std::uint32_t> open{0};
    counter accepted{};
    counter refused{};       // closed at once: sessions_max
    counter tls_failures{};  // no TLS session came about
    // Told why and closed at the door, by session_error.
    std::array<counter, ingest::session_error_count> turned_away{};
};

// Records that wait in a lane's spool. What a lane has received is then
//     received + found = committed (ticks, events, dead letters) + duplicate + spooled + in flight
[[nodiscard]] inline std::uint64_t records_spooled(const lane_counters& of) noexcept {
    const std::uint64_t in = read(of.spooled_records) + read(of.spool_records_found);
    const std::uint64_t out = read(of.spool_records_left);
    return in > out ? in - out : 0;
}

// Records that are in a block: being sent, in a ring, or in a batch.
[[nodiscard]] inline std::uint64_t records_in_flight(const lane_counters& of) noexcept {
    const std::uint64_t home = read(of.records_returned) + read(of.records_duplicate);
    const std::uint64_t taken = read(of.records_received);
    return taken > home ? taken - home : 0;
}

// What came home and is neither committed nor left out nor in the spool: 0, or records have been
// lost or doubled. Read while blocks come home it may be off for a moment.
[[nodiscard]] inline std::int64_t records_unaccounted(const lane_counters& of) noexcept {
    const auto figure = [](const counter& each) { return static_cast<std::int64_t>(read(each)); };
    return figure(of.records_returned) - figure(of.records_left_out) - figure(of.ticks_committed) -
           figure(of.events_committed) - figure(of.dead_letters_committed) -
           figure(of.spooled_records) + figure(of.spool_records_left) -
           figure(of.spool_records_passed) + figure(of.spool_records_held);
}

}  // namespace tickd
