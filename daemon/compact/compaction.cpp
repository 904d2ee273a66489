#include "daemon/compact/compaction.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>
#include <utility>

#include "daemon/compact/candle_arrays.h"
#include "ingest/limits.h"

namespace tickd {

namespace {

// What one transaction takes: some 50,000 ticks of 150 bytes here, and their metadata.
constexpr const char* taken_bytes_max = "8388608";
constexpr const char* tick_bytes = "160";
constexpr const char* segments_max = "1000";

// Any number that no other program uses: "tickdseg".
constexpr const char* take_lock = "SELECT pg_try_advisory_xact_lock(8388350082806735207)";

constexpr const char* columns = "symbol, tenant_id, data, metadata";

// The last of what one transaction takes; no row when there is nothing. By time and not by id: a
// batch writes its newest ticks first, so what a bound on ids left of it would be packed with the
// next batch's, across what was taken.
const std::string fresh_bound =
    std::string() +
    "SELECT first_time, id FROM (SELECT first_time, id, row_number() OVER w AS n,"
    " sum(tick_count::bigint * " +
    tick_bytes +
    " + coalesce(octet_length(metadata), 0)) OVER w"
    " AS bytes FROM (SELECT first_time, id, tick_count, metadata FROM public.price_segment"
    " WHERE level = 0 ORDER BY first_time, id LIMIT " +
    segments_max +
    ") AS fresh WINDOW w AS (ORDER BY first_time, id)) AS counted"
    " WHERE bytes <= " +
    taken_bytes_max + " OR n = 1 ORDER BY first_time DESC, id DESC LIMIT 1";

const std::string take_fresh = std::string() +
                               "DELETE FROM public.price_segment WHERE level = 0"
                               " AND (first_time, id) <= ($1::timestamptz, $2::bigint) RETURNING " +
                               columns;

const std::string mixed_bound =
    std::string() +
    "SELECT count(*), max(id) FROM (SELECT id, row_number() OVER w AS n,"
    " sum(tick_count::bigint * " +
    tick_bytes +
    " + coalesce(octet_length(metadata), 0)) OVER w"
    " AS bytes FROM (SELECT id, tick_count, metadata FROM public.price_segment WHERE level = 1"
    " AND symbol IS NULL ORDER BY id LIMIT " +
    segments_max +
    ") AS mixed"
    " WINDOW w AS (ORDER BY id)) AS counted WHERE bytes <= " +
    taken_bytes_max + " OR n = 1";

const std::string take_mixed =
    std::string() +
    "DELETE FROM public.price_segment WHERE level = 1 AND symbol IS NULL AND id <= $1 RETURNING " +
    columns;

// Small segments of a symbol's day that have no whole one among them: eight, or enough for a whole
// one. Merged across a whole one they would overlap it, and readers count what overlaps from rows.
const std::string take_small =
    std::string() +
    "WITH days AS (SELECT symbol, tenant_id, date_trunc('day', first_time, 'UTC') AS day"
    "  FROM public.price_segment WHERE level = 1 AND symbol IS NOT NULL"
    "  GROUP BY 1, 2, 3 HAVING count(*) >= 8 OR"
    "    (count(*) >= 2 AND sum(octet_length(data)) >= 7000)),"
    " small AS (SELECT s.symbol, s.tenant_id, d.day, s.id, s.first_time,"
    "    octet_length(s.data) AS data_bytes,"
    "    s.tick_count::bigint * " +
    tick_bytes +
    " + coalesce(octet_length(s.metadata), 0) AS bytes,"
    "    lag(s.first_time) OVER (PARTITION BY s.symbol, s.tenant_id, d.day"
    "                            ORDER BY s.first_time, s.id) AS previous"
    "  FROM public.price_segment s JOIN days d ON s.symbol = d.symbol"
    "   AND s.tenant_id IS NOT DISTINCT FROM d.tenant_id AND s.first_time >= d.day"
    "   AND s.first_time < d.day + interval '1 day' WHERE s.level = 1),"
    " parted AS (SELECT s.*, EXISTS (SELECT FROM public.price_segment f WHERE f.level = 2"
    "     AND f.symbol = s.symbol AND f.tenant_id IS NOT DISTINCT FROM s.tenant_id"
    "     AND f.first_time >= s.previous AND f.first_time < s.first_time) AS apart FROM small s),"
    " numbered AS (SELECT p.*, count(*) FILTER (WHERE p.apart) OVER (PARTITION BY p.symbol,"
    "     p.tenant_id, p.day ORDER BY p.first_time, p.id) AS part FROM parted p),"
    " ripe AS (SELECT symbol, tenant_id, begins, ends FROM (SELECT symbol, tenant_id,"
    "     min(first_time) AS begins, max(first_time) AS ends, row_number() OVER w AS n,"
    "     sum(sum(bytes)) OVER w AS bytes FROM numbered GROUP BY symbol, tenant_id, day, part"
    "     HAVING count(*) >= 8 OR (count(*) >= 2 AND sum(data_bytes) >= 7000)"
    "     WINDOW w AS (ORDER BY symbol, tenant_id, day, part)) AS running"
    "  WHERE bytes <= " +
    taken_bytes_max +
    " OR n = 1 LIMIT 500)"
    " DELETE FROM public.price_segment s USING ripe r WHERE s.level = 1 AND s.symbol = r.symbol"
    " AND s.tenant_id IS NOT DISTINCT FROM r.tenant_id AND s.first_time >= r.begins"
    " AND s.first_time <= r.ends"
    " RETURNING s.symbol, s.tenant_id, s.data, s.metadata";

// Fewer ticks than this of one symbol stay mixed when fresh ones are folded. Mixed ones are then
// taken apart whatever comes of it.
constexpr std::size_t folded_run_ticks_min = 64;

}  // namespace

compaction::compaction(pg_target target)
    : target_(std::move(target)), packer_(ingest::packing::compaction) {}

void compaction::give_up() noexcept { cutter_.cut(); }

pg_error compaction::lost(pg_error error) {
    if (error.connection_lost || !connection_ || PQstatus(connection_->native()) != CONNECTION_OK) {
        error.connection_lost = true;
        connection_.reset();
    }
    return error;
}

std::expected<void, pg_error> compaction::connect() {
    auto opened = pg_connection::connect(target_);
    if (!opened) return std::unexpected(opened.error());
    connection_ = std::move(*opened);
    cutter_.hold(connection_->native());
    // What it writes can be made again from what it takes, so its commits need not wait for the
    // disk: a crash brings back the segments of before, candles included.
    const auto set = connection_->exec(
        "SET synchronous_commit = off; SET default_transaction_read_only = off;"
        " SET search_path = pg_catalog, pg_temp; SET jit = off;"
        " SET plan_cache_mode = force_custom_plan");
    if (!set) return std::unexpected(lost(set.error()));
    return {};
}

std::expected<pg_rows, pg_error> compaction::ask(const std::string& sql,
                                                 std::span<const pg_parameter> parameters,
                                                 answer_form form) {
    auto rows = connection_->query(sql, parameters, form);
    if (!rows) return std::unexpected(lost(rows.error()));
    return rows;
}

compaction::outcome compaction::fold() {
    const auto bound = ask(fresh_bound, {});
    if (!bound) return std::unexpected(bound.error());
    if (bound->size() == 0) return compaction_step{};
    return rewrite(take_fresh, {std::string(bound->at(0, 0)), std::string(bound->at(0, 1))},
                   folded_run_ticks_min, true);
}

compaction::outcome compaction::merge_mixed(std::uint32_t waiting_min) {
    const auto bound = ask(mixed_bound, {});
    if (!bound) return std::unexpected(bound.error());
    const std::int64_t waiting = bound->integer(0, 0);
    if (waiting == 0 || waiting < waiting_min) return compaction_step{};
    return rewrite(take_mixed, {std::string(bound->at(0, 1))}, 1, false);
}

compaction::outcome compaction::merge_small() { return rewrite(take_small, {}, 1, false); }

compaction::outcome compaction::rewrite(const std::string& take,
                                        std::initializer_list<pg_parameter> parameters,
                                        std::size_t run_ticks_min, bool count) {
    compaction_step done;
    auto result = connection_->exec("BEGIN");
    if (result) {
        const auto locked = ask(take_lock, {});
        if (!locked) {
            result = std::unexpected(locked.error());
        } else if (!locked->is_true(0, 0)) {
            done.elsewhere = true;
        } else {
            result = rewrite_within(take, std::span(parameters.begin(), parameters.size()),
                                    run_ticks_min, count, done);
        }
    }
    if (result) result = connection_->exec("COMMIT");
    ticks_.clear();
    if (!result) {
        if (connection_ && connection_->in_transaction()) (void)connection_->exec("ROLLBACK");
        return std::unexpected(lost(result.error()));
    }
    return done;
}

std::expected<void, pg_error> compaction::rewrite_within(const std::string& take,
                                                         std::span<const pg_parameter> parameters,
                                                         std::size_t run_ticks_min, bool count,
                                                         compaction_step& done) {
    const auto taken = ask(take, parameters, answer_form::binary);
    if (!taken) return std::unexpected(taken.error());
    if (auto unpacked = unpack(*taken); !unpacked) return unpacked;
    done.segments_taken = static_cast<std::uint64_t>(taken->size());
    done.ticks = ticks_.size();
    if (ticks_.size() == 0) return {};
    const std::string_view stream = pack(run_ticks_min);
    auto put = connection_->copy_begin(std::string(ingest::copy_segments_statement));
    if (put) put = connection_->copy_put(stream);
    if (!put) return std::unexpected(lost(put.error()));
    if (const auto ended = connection_->copy_end(); !ended) {
        return std::unexpected(lost(ended.error()));
    }
    done.segments_made = packer_.segment_count();
    return count ? count_candles(done) : std::expected<void, pg_error>{};
}

std::uint32_t compaction::tenant_number(std::optional<ingest::uuid> tenant) {
    const auto known = std::ranges::find(tenants_, tenant);
    if (known == tenants_.end()) {
        tenants_.push_back(tenant);
        return static_cast<std::uint32_t>(tenants_.size() - 1);
    }
    return static_cast<std::uint32_t>(known - tenants_.begin());
}

// A segment that cannot be read is left where it is, by an error that ends the transaction: nothing
// is thrown away that somebody might still mend.
std::expected<void, pg_error> compaction::unpack(const pg_rows& taken) {
    ticks_.clear();
    tenant_of_.clear();
    tenants_.clear();
    for (int row = 0; row < taken.size(); ++row) {
        std::optional<ingest::uuid> tenant;
        if (!taken.is_null(row, 1)) {
            std::memcpy(tenant.emplace().bytes.data(), taken.at(row, 1).data(), 16);
        }
        const auto added =
            decoder_.append_with_metadata(taken.at(row, 2), taken.at(row, 3), {}, ticks_);
        if (!added) {
            const std::string symbol =
                taken.is_null(row, 0) ? "several symbols" : std::string(taken.at(row, 0));
            return std::unexpected(
                pg_error{.sqlstate = {},
                         .message = "a segment of " + symbol +
                                    " cannot be read: " + std::string(to_string(added.error())) +
                                    "; `tickd db rebuild-segments` makes it anew from its rows",
                         .detail = {}});
        }
        tenant_of_.resize(ticks_.size(), tenant_number(tenant));
    }
    return {};
}

ingest::segment_tick compaction::tick_at(std::uint32_t index) const {
    ingest::segment_tick tick{.time_us = ticks_.time_us[index],
                              .bid = ticks_.bid[index],
                              .ask = ticks_.ask[index],
                              .mid = ticks_.mid[index],
                              .volume = {},
                              .symbol = ticks_.symbol[index],
                              .source = ticks_.source[index],
                              .metadata = {}};
    if (ticks_.has_volume(index)) tick.volume = ticks_.volume[index];
    if (const std::string_view text = ticks_.metadata[index]; !text.empty()) tick.metadata = text;
    return tick;
}

std::string_view compaction::pack(std::size_t run_ticks_min) {
    order_.resize(ticks_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    const auto key = [&](std::uint32_t index) {
        return std::tuple(tenant_of_[index], ticks_.symbol.number(index), ticks_.time_us[index],
                          index);
    };
    std::ranges::sort(order_, {}, key);
    packer_.begin(run_ticks_min);
    run_.clear();
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const std::uint32_t index = order_[i];
        run_.push_back(tick_at(index));
        const bool last = i + 1 == order_.size() ||
                          tenant_of_[order_[i + 1]] != tenant_of_[index] ||
                          ticks_.symbol.number(order_[i + 1]) != ticks_.symbol.number(index);
        if (!last && run_.size() < ingest::limits::segment_run_ticks_max) continue;
        const auto& tenant = tenants_[tenant_of_[index]];
        packer_.add(tenant ? &*tenant : nullptr, run_);
        run_.clear();
    }
    return packer_.finish();
}

std::expected<void, pg_error> compaction::count_candles(compaction_step& done) {
    // Arrays of this many candles are some hundred kilobytes each.
    constexpr std::ptrdiff_t candles_at_once = 10'000;
    ingest::candle_set candles;
    for (const std::uint32_t index : order_) {
        const ingest::int128 volume = ticks_.has_volume(index) ? ticks_.volume[index] : 0;
        candles.add(tenants_[tenant_of_[index]], ticks_.symbol[index], ticks_.time_us[index],
                    ticks_.mid[index], ticks_.has_volume(index) ? &volume : nullptr);
    }
    const auto& all = candles.all();
    for (auto begin = all.begin(); begin != all.end();) {
        const auto end = std::ranges::next(begin, candles_at_once, all.end());
        if (auto merged = ask(merge_candles_statement, candle_parameters(begin, end)); !merged) {
            return std::unexpected(merged.error());
        }
        begin = end;
    }
    done.candles = all.size();
    if (auto merged = ask(merge_latest_statement, latest_parameters(candles)); !merged) {
        return std::unexpected(merged.error());
    }
    return {};
}

}  // namespace tickd
