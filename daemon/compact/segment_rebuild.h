// Segments and candles made anew from rows: for ticks that came without them (written before
// segments were there, or with segments.write off), for made-up data, and to mend what verification
// has found.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd {

struct rebuilt {
    std::uint64_t ticks = 0, segments = 0, candles = 0;
};

// The days (counted from 1970, UTC) within [from_day, to_day] that have chunks of rows or segments,
// in order.
[[nodiscard]] std::expected<std::vector<std::int64_t>, pg_error> days_with_ticks(
    pg_connection& connection, std::int64_t from_day, std::int64_t to_day);

// Replaces a day's segments and candles, inside the caller's transaction. Holds off writers of
// ticks until it ends. Memory is bounded: rows are fetched by the ten thousand. Needs the rights of
// the tables' owner.
[[nodiscard]] std::expected<rebuilt, pg_error> rebuild_day(
    pg_connection& connection, std::int64_t day,
    const std::function<void(std::uint64_t ticks)>& progress);

}  // namespace tickd
