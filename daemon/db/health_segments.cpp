// The check of the segments: complete day by day, and the compactor not far behind.
#include <algorithm>
#include <cstdint>
#include <format>

#include "daemon/db/health.h"

namespace tickd {

namespace {

// At a commit every five milliseconds of four lanes this is ten seconds without a compactor.
constexpr std::int64_t fresh_max = 8'000;

// Days of rows that have no chunk of segments at all.
constexpr const char* days_without =
    "SELECT r.range_start::date FROM timescaledb_information.chunks r"
    " WHERE r.hypertable_schema = 'public' AND r.hypertable_name = 'price_telemetry'"
    "   AND NOT EXISTS (SELECT FROM timescaledb_information.chunks s"
    "        WHERE s.hypertable_schema = 'public' AND s.hypertable_name = 'price_segment'"
    "          AND s.range_start < r.range_end AND s.range_end > r.range_start)"
    " ORDER BY 1";

}  // namespace

health_check check_segments(pg_connection& connection) {
    const auto without = connection.query(days_without);
    if (!without) return not_checked("segments", without.error());
    if (without->size() != 0) {
        return {check_status::fail, "segments",
                std::format("{} days of ticks have none, the first is {}: queries of segments miss"
                            " them; run `tickd db rebuild-segments`",
                            without->size(), without->at(0, 0))};
    }
    const auto fresh = connection.query("SELECT tickd.fresh_segments()");
    if (!fresh) return not_checked("segments", fresh.error());
    const std::int64_t count = fresh->integer(0, 0);
    if (count > fresh_max) {
        return {check_status::warn, "segments",
                std::format("{}{} wait for the compactor: queries stay exact and grow slow; its log"
                            " lines say what it does",
                            count > 10'000 ? "over " : "", std::min<std::int64_t>(count, 10'000))};
    }
    return {check_status::ok, "segments",
            std::format("every day of ticks has some, {} wait for the compactor", count)};
}

}  // namespace tickd
