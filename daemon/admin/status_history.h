// What has to be remembered to say how fast and how slow things are now: totals of the last
// minutes, and histograms of the last one. Counters and histograms themselves only ever grow.
//
// Belongs to the admin server's thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "daemon/admin/status_figures.h"
#include "ingest/latency_histogram.h"

namespace tickd {

using latency_set = std::array<ingest::latency_snapshot, latency_stages>;

class status_history {
public:
    // Once a second. `monotonic_us` grows; `unix_us`: the same moment since 1970.
    void note(std::int64_t monotonic_us, std::int64_t unix_us, const traffic_totals& totals,
              bool database_connected);
    // As often. Keeps one in five seconds.
    void note(std::int64_t monotonic_us, const latency_set& seen);

    // Over the last five seconds; zeros before the second note.
    [[nodiscard]] traffic_rates rates() const;
    struct seconds {
        std::vector<std::uint32_t> received, committed, bytes;  // a second, the newest last
    };
    [[nodiscard]] seconds last_seconds() const;
    // Since 1970; 0: it is connected.
    [[nodiscard]] std::int64_t away_since_us() const noexcept { return away_since_us_; }

    struct latencies {
        std::uint32_t window_s = 0;
        std::array<latency_figures, latency_stages> of{};
    };
    // Of what was recorded within about a minute before the last note.
    [[nodiscard]] latencies recent_latencies() const;

private:
    struct moment {
        std::int64_t at_us = 0;
        traffic_totals totals;
    };
    struct latency_moment {
        std::int64_t at_us = 0;
        latency_set seen{};
    };
    std::deque<moment> moments_;
    std::deque<latency_moment> latency_moments_;
    latency_set newest_{};
    std::int64_t newest_at_us_ = 0;
    std::int64_t away_since_us_ = 0;
};

}  // namespace tickd
