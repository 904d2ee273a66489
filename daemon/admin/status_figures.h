// What the status page shows, as plain values: read by status_reading.cpp, written as JSON by
// status_json.cpp. Times are microseconds since 1970, 0 where there is none; durations
// microseconds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tickd {

// Totals since the start, of which rates are made.
struct traffic_totals {
    std::uint64_t received_bytes = 0;
    std::uint64_t received = 0;                             // lines taken in
    std::uint64_t ticks = 0, events = 0, dead_letters = 0;  // committed
};

// Per second.
struct traffic_rates {
    double received_bytes = 0, received = 0, ticks = 0, events = 0;
};

struct latency_figures {
    std::uint64_t count = 0;
    std::int64_t p50_us = 0, p99_us = 0, p999_us = 0;
};

// In the order in which a record meets them; the first spans all.
enum class latency_stage : std::uint8_t { receive_to_commit, seal, ring, prepare, commit };
inline constexpr std::array<std::string_view, 5> latency_stage_names{"receive_to_commit", "seal",
                                                                     "ring", "prepare", "commit"};
inline constexpr std::size_t latency_stages = latency_stage_names.size();

struct lane_status {
    std::uint32_t number = 0;
    bool connected = false;
    std::string stuck{};  // why, if it is
    std::uint64_t sessions = 0, in_flight = 0, blocks_out = 0, blocks_max = 0;
    std::uint64_t spooled = 0, spool_bytes = 0;
    std::uint64_t connects = 0, failures = 0;
    std::int64_t unaccounted = 0;
    std::int64_t committed_at_us = 0;
};

struct producer_status {
    std::string name{};    // empty: those that have no figures of their own
    std::string tenant{};  // empty: none
    std::uint64_t received = 0, committed = 0, duplicates = 0, dead_lettered = 0, seq_gaps = 0;
    std::uint64_t watermark = 0;
    std::int64_t lag_us = 0;
};

struct notary_status {
    bool stopped = false;
    std::int64_t log_records = 0, signed_records = 0, signed_at_us = 0;
    std::uint64_t failures = 0;
};

struct compactor_status {
    bool connected = false;
    std::uint64_t segments_taken = 0, segments_made = 0, ticks = 0, candles = 0, failures = 0;
    std::int64_t done_at_us = 0;  // when it last left nothing fresh
};

struct process_status {
    double cpu_s = 0;
    std::uint64_t resident_bytes = 0, threads = 0, open_fds = 0;
};

struct status_figures {
    std::int64_t now_us = 0, started_at_us = 0;
    std::string version;
    bool stopping = false;
    std::vector<std::string> unready, unhealthy;  // reasons
    std::int64_t database_away_since_us = 0;      // some lane has no connection since then

    traffic_totals totals;
    traffic_rates rates;
    // The last seconds, the newest last.
    std::vector<std::uint32_t> received_a_second, committed_a_second, bytes_a_second;

    std::uint32_t latency_window_s = 0;
    std::array<latency_figures, latency_stages> latencies{};

    std::vector<lane_status> lanes;
    std::uint64_t spool_bytes_max = 0;  // of each lane; 0: no spool
    std::uint64_t duplicates = 0;

    std::vector<producer_status> producers;  // at most limits::status_producers_max
    std::uint64_t more_producers = 0;        // that are known and not among them
    producer_status rest;                    // their sums, and those of producers without figures

    std::vector<std::pair<std::string_view, std::uint64_t>> refused;  // by verdict, without zeros
    std::uint64_t turned_away = 0, connections_refused = 0;           // at the door

    std::optional<notary_status> notary;        // nothing: none is configured
    std::optional<compactor_status> compactor;  // nothing: segments.compact is off
    process_status process;
};

}  // namespace tickd
