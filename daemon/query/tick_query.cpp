#include "daemon/query/tick_query.h"

#include <libpq-fe.h>

#include <algorithm>
#include <format>
#include <vector>

#include "clients/cpp/tick_reader.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

constexpr std::int64_t day_us = 86'400'000'000;

// The days that may hold ticks of the symbol, counted from 1970.
[[nodiscard]] std::expected<std::vector<std::int64_t>, pg_error> days_of(pg_connection& connection,
                                                                         const tick_query& asked) {
    const auto rows = connection.query(
        "SELECT DISTINCT floor(extract(epoch FROM first_time) / 86400)::bigint"
        "  FROM public.price_segment WHERE (symbol = $1 OR symbol IS NULL)"
        "   AND first_time < $3::timestamptz AND last_time >= $2::timestamptz ORDER BY 1",
        {asked.symbol, ingest::to_rfc3339(asked.from_us), ingest::to_rfc3339(asked.to_us)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::int64_t> days;
    days.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) days.push_back(rows->integer(row, 0));
    return days;
}

}  // namespace

std::expected<void, pg_error> read_ticks(
    pg_connection& connection, const tick_query& asked,
    const std::function<void(const ingest::tick_columns&, std::uint64_t day, std::uint64_t days)>&
        use) {
    auto done = connection.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (!done) return done;
    const auto days = days_of(connection, asked);
    if (!days) done = std::unexpected(days.error());
    client::tick_reader reader(connection.native());
    ingest::tick_columns ticks, of_source;
    for (std::size_t i = 0; done && i < days->size(); ++i) {
        const std::int64_t begin_us = (*days)[i] * day_us;
        const auto read = reader.read(asked.symbol, std::max(asked.from_us, begin_us),
                                      std::min(asked.to_us, begin_us + day_us),
                                      {.metadata = asked.metadata}, ticks);
        if (!read) {
            pg_error error;
            error.message = read.error().message;
            error.sqlstate = read.error().sqlstate;
            error.connection_lost = PQstatus(connection.native()) != CONNECTION_OK;
            done = std::unexpected(std::move(error));
            break;
        }
        const ingest::tick_columns* wanted = &ticks;
        if (asked.source) {
            of_source.clear();
            for (std::size_t at = 0; at < wanted->size(); ++at) {
                if (wanted->source[at] == *asked.source) of_source.append_tick(*wanted, at);
            }
            wanted = &of_source;
        }
        use(*wanted, i + 1, days->size());
    }
    // It has only read.
    if (connection.in_transaction()) static_cast<void>(connection.exec("ROLLBACK"));
    return done;
}

}  // namespace tickd
