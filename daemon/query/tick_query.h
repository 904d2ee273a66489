// The ticks of one symbol, a day at a time, in order of time.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "daemon/db/pg_connection.h"
#include "ingest/tick_columns.h"

namespace tickd {

struct tick_query {
    std::string symbol;
    std::int64_t from_us = 0, to_us = 0;  // since 1970; the second not included
    std::optional<std::string> source;    // only ticks of this one
    bool metadata = false;                // asked for too
};

// Hands on each day's ticks, with how many of the days have been read. In one snapshot.
[[nodiscard]] std::expected<void, pg_error> read_ticks(
    pg_connection& connection, const tick_query& asked,
    const std::function<void(const ingest::tick_columns&, std::uint64_t day, std::uint64_t days)>&
        use);

}  // namespace tickd
