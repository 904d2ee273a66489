// Rows of price_telemetry as they come in binary, by the ten thousand.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "daemon/db/pg_connection.h"
#include "ingest/segment_format.h"
#include "ingest/uuid.h"

namespace tickd {

// Reads the ticks of [from_us, to_us) (since 1970) within the caller's transaction, ordered by
// tenant (none first), symbol and time. One at a time on a connection.
class tick_rows {
public:
    [[nodiscard]] static std::expected<tick_rows, pg_error> open(pg_connection& connection,
                                                                 std::int64_t from_us,
                                                                 std::int64_t to_us);
    // The next rows, good until the next call; empty at the end.
    [[nodiscard]] std::expected<const pg_rows*, pg_error> next();
    [[nodiscard]] std::expected<void, pg_error> close();

    // The texts lie in `rows`. An error names a row that tickd cannot have written.
    [[nodiscard]] static std::expected<ingest::segment_tick, pg_error> tick(const pg_rows& rows,
                                                                            int row);
    [[nodiscard]] static std::optional<ingest::uuid> tenant(const pg_rows& rows, int row);

private:
    explicit tick_rows(pg_connection& connection) : connection_(&connection) {}
    pg_connection* connection_;
    std::optional<pg_rows> rows_;
};

// A time as a literal of SQL.
[[nodiscard]] std::string time_literal(std::int64_t unix_us);

}  // namespace tickd
