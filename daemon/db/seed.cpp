#include "daemon/db/seed.h"

#include <algorithm>
#include <format>
#include <iterator>
#include <limits>

#include "daemon/compact/segment_rebuild.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

using step_result = std::expected<void, pg_error>;

constexpr const char* copy_ticks =
    "COPY public.price_telemetry (time, symbol, bid, ask, mid, volume, source, metadata, tenant_id)"
    " FROM STDIN";

// The hash covers the id, so the rows wait in a table of the session until they have one. `n`
// counts from 0.
constexpr const char* make_waiting_events =
    "CREATE TEMPORARY TABLE seed_event ("
    " n bigint PRIMARY KEY, time timestamptz, agent_id text, action_type text, payload jsonb,"
    " session_id uuid, metadata jsonb, created_at timestamptz, tenant_id uuid) ON COMMIT DROP";

constexpr const char* keep_events =
    "INSERT INTO public.unified_activity_log"
    " (id, timestamp, agent_id, action_type, action_payload, session_id, metadata, hash_sha256,"
    "  created_at, tenant_id)"
    " SELECT id, time, agent_id, action_type, payload, session_id, metadata,"
    "        tickd.activity_row_hash(id, time, agent_id, action_type, payload, NULL,"
    "                                session_id, metadata, created_at, tenant_id),"
    "        created_at, tenant_id"
    // A tenant's ids follow one another: each run of them becomes a record.
    "   FROM (SELECT $1 - 1 + row_number() OVER (ORDER BY tenant_id NULLS FIRST, n) AS id, *"
    "           FROM seed_event WHERE n >= $2 AND n < $2 + $3) AS numbered ORDER BY id";

// The seed's texts hold no backslash, tab or newline, which COPY's text form would escape.
std::string or_null(std::string_view text) { return text.empty() ? "\\N" : std::string(text); }

std::string tenant_text(const seed_model& model, std::optional<std::size_t> tenant) {
    return tenant ? model.tenants()[*tenant].id : "\\N";
}

// Sends lines as they come, some hundred kilobytes at a time.
class line_copy {
public:
    line_copy(pg_connection& connection, const std::function<void(std::uint64_t)>& progress,
              std::uint64_t done_before)
        : connection_(connection), progress_(progress), lines_(done_before) {}

    [[nodiscard]] step_result add(std::string_view line) {
        buffer_ += line;
        if (++lines_ % 10'000 == 0) progress_(lines_);
        return buffer_.size() < send_bytes ? step_result{} : send();
    }
    [[nodiscard]] step_result finish() {
        if (auto sent = send(); !sent) return sent;
        if (auto ended = connection_.copy_end(); !ended) return std::unexpected(ended.error());
        return {};
    }

private:
    static constexpr std::size_t send_bytes = 256 * 1024;

    step_result send() {
        auto sent = connection_.copy_put(buffer_);
        buffer_.clear();
        return sent;
    }

    pg_connection& connection_;
    const std::function<void(std::uint64_t)>& progress_;
    std::uint64_t lines_;
    std::string buffer_;
};

step_result write_tenants(pg_connection& connection, const seed_model& model, seed_counts& counts) {
    for (const seed_tenant& tenant : model.tenants()) {
        if (auto kept =
                connection.query("INSERT INTO public.tenants (tenant_id, name) VALUES ($1, $2)",
                                 {tenant.id, tenant.name});
            !kept) {
            return std::unexpected(kept.error());
        }
        ++counts.tenants;
    }
    for (const seed_portfolio& portfolio : model.portfolios()) {
        const std::string& tenant = model.tenants()[portfolio.tenant].id;
        if (auto kept =
                connection.query("INSERT INTO public.portfolios (portfolio_id, tenant_id, name)"
                                 " VALUES ($1, $2, $3)",
                                 {portfolio.id, tenant, std::string(portfolio.name)});
            !kept) {
            return std::unexpected(kept.error());
        }
        ++counts.portfolios;
        for (const seed_position& position : portfolio.positions) {
            if (auto kept = connection.query(
                    "INSERT INTO public.portfolio_positions"
                    " (portfolio_id, tenant_id, symbol, quantity, average_price)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    {portfolio.id, tenant, std::string(position.symbol),
                     seed_decimal(position.quantity), seed_decimal(position.average_price)});
                !kept) {
                return std::unexpected(kept.error());
            }
            ++counts.positions;
        }
    }
    return {};
}

struct time_span {
    std::int64_t first_us = std::numeric_limits<std::int64_t>::max();
    std::int64_t last_us = std::numeric_limits<std::int64_t>::min();
};

step_result write_ticks(pg_connection& connection, seed_model& model, seed_counts& counts,
                        time_span& span, const std::function<void(std::uint64_t)>& progress) {
    if (auto begun = connection.copy_begin(copy_ticks); !begun) return begun;
    line_copy copy(connection, progress, 0);
    std::string line;
    seed_tick tick;
    while (model.next(tick)) {
        line.clear();
        std::format_to(std::back_inserter(line), "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                       ingest::to_rfc3339(tick.time_us), tick.symbol, seed_decimal(tick.bid),
                       seed_decimal(tick.ask), seed_decimal(tick.mid), seed_decimal(tick.volume),
                       tick.source, or_null(tick.metadata), tenant_text(model, tick.tenant));
        if (auto sent = copy.add(line); !sent) return sent;
        ++counts.ticks;
        span.first_us = std::min(span.first_us, tick.time_us);
        span.last_us = std::max(span.last_us, tick.time_us);
    }
    return copy.finish();
}

// Ticks that no lane has written have no segments yet: those of their days are made anew.
step_result write_segments(pg_connection& connection, const time_span& span) {
    constexpr std::int64_t day_us = 86'400'000'000;
    if (span.first_us > span.last_us) return {};
    const auto days = days_with_ticks(connection, span.first_us / day_us, span.last_us / day_us);
    if (!days) return std::unexpected(days.error());
    for (const std::int64_t day : *days) {
        const auto made = rebuild_day(connection, day, [](std::uint64_t) {});
        if (!made) return std::unexpected(made.error());
    }
    return {};
}

step_result write_events(pg_connection& connection, seed_model& model, seed_counts& counts,
                         const std::function<void(std::uint64_t)>& progress) {
    if (auto made = connection.exec(make_waiting_events); !made) return made;
    if (auto begun = connection.copy_begin("COPY seed_event FROM STDIN"); !begun) return begun;
    line_copy copy(connection, progress, counts.ticks);
    std::string line;
    seed_event event;
    while (model.next(event)) {
        line.clear();
        std::format_to(std::back_inserter(line), "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                       counts.events, ingest::to_rfc3339(event.time_us), event.agent_id,
                       event.action_type, event.payload, event.session_id, or_null(event.metadata),
                       ingest::to_rfc3339(event.created_us), tenant_text(model, event.tenant));
        if (auto sent = copy.add(line); !sent) return sent;
        ++counts.events;
    }
    if (auto ended = copy.finish(); !ended) return ended;

    constexpr std::uint64_t ids_at_once = 1'000'000;  // What tickd.reserve_activity_ids gives.
    for (std::uint64_t first = 0; first < counts.events; first += ids_at_once) {
        const std::string count = std::to_string(std::min(ids_at_once, counts.events - first));
        const auto id = connection.query("SELECT tickd.reserve_activity_ids($1)", {count});
        if (!id) return std::unexpected(id.error());
        const auto kept = connection.query(
            keep_events, {std::string(id->at(0, 0)), std::to_string(first), count});
        if (!kept) return std::unexpected(kept.error());
        const auto sealed =
            connection.query("SELECT tickd.seal_activity_rows($1, $1 + $2::bigint - 1)",
                             {std::string(id->at(0, 0)), count});
        if (!sealed) return std::unexpected(sealed.error());
    }
    return {};
}

}  // namespace

std::expected<seed_counts, pg_error> write_seed(
    pg_connection& connection, const seed_options& options,
    const std::function<void(std::uint64_t)>& progress) {
    seed_model model(options);
    seed_counts counts;
    time_span span;
    step_result outcome = connection.exec("BEGIN");
    if (outcome) outcome = write_tenants(connection, model, counts);
    if (outcome) outcome = write_ticks(connection, model, counts, span, progress);
    if (outcome) outcome = write_segments(connection, span);
    if (outcome) outcome = write_events(connection, model, counts, progress);
    if (outcome) outcome = connection.exec("COMMIT");
    if (!outcome) {
        if (connection.in_transaction()) (void)connection.exec("ROLLBACK");
        return std::unexpected(outcome.error());
    }
    return counts;
}

}  // namespace tickd
