// Reads what the status page shows off the daemon's counters. Never waits for anybody.
#pragma once

#include "daemon/admin/observed.h"
#include "daemon/admin/status_figures.h"
#include "daemon/admin/status_history.h"

namespace tickd {

[[nodiscard]] traffic_totals read_traffic(const observed& of);
// Of all lanes together.
[[nodiscard]] latency_set read_latencies(const observed& of);
[[nodiscard]] bool all_lanes_connected(const observed& of);

// Everything at this moment, with what `history` says of the last minutes.
[[nodiscard]] status_figures read_status(const observed& of, const status_history& history);

// The `shown_max` that say most, in this order: those that lag by more than a second, the longest
// first, then those that have sent most. The others are summed up in `rest`.
void choose_producers(std::vector<producer_status> all, std::size_t shown_max, status_figures& to);

}  // namespace tickd
