// Whether one day's segments and candles say what its rows say.
//
// Ticks are compared as multisets: per tenant and symbol their number and the sum of their SHA-256,
// for which order does not matter and memory does not grow with them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd {

enum class segment_fault : std::uint8_t {
    unreadable,  // bytes that are no segment
    header,      // a column beside the bytes says something else than they do
    missing,     // rows without ticks in segments
    extra,       // ticks in segments without rows
    differs,     // as many, with other values
    candle,      // a candle is not that of its ticks
};
[[nodiscard]] std::string_view to_string(segment_fault fault) noexcept;

struct segment_finding {
    segment_fault fault{};
    std::int64_t day = 0;  // since 1970, UTC
    std::string tenant;    // empty: none
    std::string symbol;    // empty: several, or unknown
    std::string detail;
};

struct segment_day {
    std::uint64_t rows = 0, segments = 0, candles = 0;
    std::vector<segment_finding> found;
};

// In one snapshot of its own.
[[nodiscard]] std::expected<segment_day, pg_error> verify_segment_day(pg_connection& connection,
                                                                      std::int64_t day);

}  // namespace tickd
