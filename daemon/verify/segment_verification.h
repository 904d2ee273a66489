// `tickd verify segments`: day by day, several at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "daemon/db/pg_connection.h"
#include "daemon/verify/segment_day.h"

namespace tickd {

struct segment_request {
    pg_target target;
    std::int64_t from_day = std::numeric_limits<std::int32_t>::min();  // since 1970, UTC
    std::int64_t to_day = std::numeric_limits<std::int32_t>::max();    // inclusive
    unsigned jobs = 1;                                                 // connections
};

struct segment_report {
    std::uint64_t days = 0, rows = 0, segments = 0, candles = 0;
    std::vector<segment_finding> found;  // by day
};

// `progress` is called on the caller's thread: days done, days in all, rows so far. An error says
// why there is no verdict.
[[nodiscard]] std::expected<segment_report, std::string> verify_segments(
    const segment_request& request,
    const std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>& progress);

}  // namespace tickd
