#include "daemon/compact/segment_rebuild.h"

#include <format>
#include <optional>
#include <string>

#include "daemon/compact/tick_rows.h"
#include "ingest/segment_packer.h"

namespace tickd {

namespace {

constexpr std::int64_t day_us = 86'400'000'000;

// Candles from rows, by the same rules as ingest/candle.h.
constexpr const char* make_candles =
    "INSERT INTO public.price_candle_1m (symbol, tenant_id, time, open, high, low, close, "
    "first_time,"
    " last_time, tick_count, volume, volume_value)"
    " SELECT symbol, tenant_id, date_bin('1 minute', time, '2000-01-03 00:00:00+00'),"
    " (array_agg(mid ORDER BY time, mid))[1], max(mid), min(mid),"
    " (array_agg(mid ORDER BY time DESC, mid DESC))[1], min(time), max(time), count(*), "
    "sum(volume),"
    " sum(volume * mid) FROM public.price_telemetry WHERE time >= {0} AND time < {1}"
    " GROUP BY 1, 2, 3";

constexpr const char* make_latest =
    "INSERT INTO public.price_latest AS l (symbol, tenant_id, time)"
    " SELECT symbol, tenant_id, max(time) FROM public.price_telemetry"
    " WHERE time >= {0} AND time < {1} GROUP BY 1, 2"
    " ON CONFLICT (symbol, tenant_id) DO UPDATE SET time = excluded.time"
    " WHERE excluded.time > l.time";

// Packs what one fetch gave. A run that the next fetch continues becomes two: nothing is wrong with
// that.
[[nodiscard]] std::expected<std::string_view, pg_error> pack(const pg_rows& rows,
                                                             ingest::segment_packer& packer,
                                                             std::vector<ingest::uuid>& tenants) {
    packer.begin(1);
    tenants.clear();
    tenants.reserve(static_cast<std::size_t>(rows.size()));
    std::vector<ingest::segment_tick> run;
    const ingest::uuid* tenant = nullptr;
    const auto end_run = [&] {
        if (!run.empty()) packer.add(tenant, run);
        run.clear();
    };
    for (int row = 0; row < rows.size(); ++row) {
        const auto tick = tick_rows::tick(rows, row);
        if (!tick) return std::unexpected(tick.error());
        const auto id = tick_rows::tenant(rows, row);
        const bool other_tenant = id ? tenant == nullptr || *tenant != *id : tenant != nullptr;
        if (!run.empty() && (other_tenant || run.back().symbol != tick->symbol)) end_run();
        if (other_tenant) tenant = id ? &tenants.emplace_back(*id) : nullptr;
        run.push_back(*tick);
    }
    end_run();
    return packer.finish();
}

}  // namespace

std::expected<std::vector<std::int64_t>, pg_error> days_with_ticks(pg_connection& connection,
                                                                   std::int64_t from_day,
                                                                   std::int64_t to_day) {
    const auto rows = connection.query(
        "SELECT DISTINCT day FROM timescaledb_information.chunks, generate_series("
        "floor(extract(epoch FROM range_start) / 86400)::bigint,"
        "ceil(extract(epoch FROM range_end) / 86400)::bigint - 1) AS day"
        " WHERE hypertable_schema = 'public'"
        " AND hypertable_name IN ('price_telemetry', 'price_segment')"
        " AND day BETWEEN $1::bigint AND $2::bigint ORDER BY 1",
        {std::to_string(from_day), std::to_string(to_day)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::int64_t> days;
    days.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row) days.push_back(rows->integer(row, 0));
    return days;
}

std::expected<rebuilt, pg_error> rebuild_day(
    pg_connection& connection, std::int64_t day,
    const std::function<void(std::uint64_t ticks)>& progress) {
    const std::string begin = time_literal(day * day_us), end = time_literal((day + 1) * day_us);
    const auto between = [&](std::string_view format) {
        return std::vformat(format, std::make_format_args(begin, end));
    };
    rebuilt made;
    // Behind this no row can come that is not seen.
    auto done = connection.exec(
        "LOCK TABLE public.price_telemetry, public.price_segment IN SHARE ROW EXCLUSIVE MODE;" +
        between("DELETE FROM public.price_segment WHERE first_time >= {0} AND first_time < {1};"
                "DELETE FROM public.price_candle_1m WHERE time >= {0} AND time < {1};"));
    if (!done) return std::unexpected(done.error());
    ingest::segment_packer packer(ingest::packing::compaction);
    std::vector<ingest::uuid> tenants;
    auto source = tick_rows::open(connection, day * day_us, (day + 1) * day_us);
    if (!source) return std::unexpected(source.error());
    for (;;) {
        const auto fetched = source->next();
        if (!fetched) return std::unexpected(fetched.error());
        const pg_rows& rows = **fetched;
        if (rows.size() == 0) break;
        const auto stream = pack(rows, packer, tenants);
        if (!stream) return std::unexpected(stream.error());
        if (done = connection.copy_begin(std::string(ingest::copy_segments_statement)); done) {
            done = connection.copy_put(*stream);
        }
        if (!done) return std::unexpected(done.error());
        if (const auto ended = connection.copy_end(); !ended) return std::unexpected(ended.error());
        made.ticks += static_cast<std::uint64_t>(rows.size());
        made.segments += packer.segment_count();
        progress(made.ticks);
    }
    if (done = source->close(); !done) return std::unexpected(done.error());
    const auto candles = connection.query(between(make_candles));
    if (!candles) return std::unexpected(candles.error());
    made.candles = static_cast<std::uint64_t>(candles->affected());
    if (done = connection.exec(between(make_latest)); !done) return std::unexpected(done.error());
    return made;
}

}  // namespace tickd
