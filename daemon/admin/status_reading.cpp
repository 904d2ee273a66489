#include "daemon/admin/status_reading.h"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <utility>

#include "daemon/admin/conservation.h"
#include "daemon/admin/health_pages.h"
#include "daemon/admin/process_figures.h"
#include "daemon/clock.h"
#include "ingest/limits.h"
#include "ingest/producer_key.h"
#include "tickd_version.h"

namespace tickd {

namespace {

constexpr std::int64_t lagging_us = 1'000'000;

[[nodiscard]] lane_status status_of(lane& at) {
    const lane_counters& counted = at.counters();
    lane_status status;
    status.number = at.number();
    status.connected = counted.connected.load();
    status.stuck = at.stuck();
    // From the last counter to the first: none may be ahead of the one before.
    const std::uint64_t closed = read(counted.sessions_closed);
    status.sessions = read(counted.sessions_opened) - closed;
    const std::uint64_t returned = read(counted.blocks_returned);
    const std::uint64_t sealed = read(counted.blocks_sealed);
    status.blocks_out = sealed - std::min(returned, sealed);
    status.blocks_max = ingest::limits::blocks_per_lane;
    status.in_flight = records_in_flight(counted);
    status.spooled = records_spooled(counted);
    status.spool_bytes = read(counted.spool_bytes);
    status.connects = read(counted.connects);
    status.failures = read(counted.failures);
    status.unaccounted = steady_unaccounted(counted);
    status.committed_at_us = counted.committed_at_us.load();
    return status;
}

void read_lanes(const observed& of, status_figures& to) {
    std::array<std::uint64_t, ingest::verdict_count> refused{};
    for (const auto& each : of.lanes) {
        to.lanes.push_back(status_of(*each));
        to.duplicates += read(each->counters().records_duplicate);
        for (std::size_t i = 1; i < refused.size(); ++i) {
            refused[i] += read(each->counters().refused[i]);
        }
    }
    for (std::size_t i = 1; i < refused.size(); ++i) {
        if (refused[i] == 0) continue;
        to.refused.emplace_back(ingest::to_string(static_cast<ingest::verdict>(i)), refused[i]);
    }
    std::ranges::stable_sort(to.refused, std::greater{},
                             &std::pair<std::string_view, std::uint64_t>::second);
}

[[nodiscard]] std::vector<producer_status> read_producers(const observed& of, std::int64_t now_us) {
    std::vector<producer_status> all;
    for (const auto& each : of.producers.all()) {
        const producer_figures& counted = *each.figures;
        const auto tenant = ingest::producer_tenant_of(each.name);
        const std::int64_t oldest_us = counted.oldest_us.load(std::memory_order_relaxed);
        all.push_back(
            {.name = std::string(ingest::producer_name_of(each.name)),
             .tenant = tenant ? ingest::to_text(*tenant) : std::string(),
             .received = read(counted.received),
             .committed = read(counted.committed),
             .duplicates = read(counted.duplicates),
             .dead_lettered = read(counted.dead_lettered),
             .seq_gaps = read(counted.seq_gaps),
             .watermark = read(counted.watermark),
             .lag_us = oldest_us == 0 ? 0 : std::max<std::int64_t>(now_us - oldest_us, 0)});
    }
    return all;
}

void read_door(const observed& of, status_figures& to) {
    for (const auto& at : of.listeners) {
        to.connections_refused += read(at.counters->refused);
        to.turned_away += read(at.counters->tls_failures);
        for (const counter& each : at.counters->turned_away) to.turned_away += read(each);
    }
}

void read_helpers(const observed& of, status_figures& to) {
    if (of.notary != nullptr) {
        to.notary = notary_status{.stopped = of.notary->stopped.load(),
                                  .log_records = of.notary->log_records.load(),
                                  .signed_records = of.notary->signed_records.load(),
                                  .signed_at_us = of.notary->signed_at_us.load(),
                                  .failures = of.notary->failures.load()};
    }
    if (of.compaction != nullptr) {
        to.compactor = compactor_status{.connected = of.compaction->connected.load(),
                                        .segments_taken = of.compaction->segments_taken.load(),
                                        .segments_made = of.compaction->segments_made.load(),
                                        .ticks = of.compaction->ticks.load(),
                                        .candles = of.compaction->candles.load(),
                                        .failures = of.compaction->failures.load(),
                                        .done_at_us = of.compaction->last_done_us.load()};
    }
}

void read_process(status_figures& to) {
    const process_figures seen = read_process_figures();
    to.process = {.cpu_s = seen.cpu_s,
                  .resident_bytes = seen.resident_bytes,
                  .threads = seen.threads,
                  .open_fds = seen.open_fds};
    to.started_at_us = static_cast<std::int64_t>(seen.started_s * 1e6);
}

void add_up(const producer_status& one, producer_status& to) {
    to.received += one.received;
    to.committed += one.committed;
    to.duplicates += one.duplicates;
    to.dead_lettered += one.dead_lettered;
    to.seq_gaps += one.seq_gaps;
    to.lag_us = std::max(to.lag_us, one.lag_us);
}

}  // namespace

traffic_totals read_traffic(const observed& of) {
    traffic_totals sums;
    for (const auto& each : of.lanes) {
        const lane_counters& counted = each->counters();
        sums.received_bytes += read(counted.bytes_received);
        sums.received += read(counted.records_received);
        sums.ticks += read(counted.ticks_committed);
        sums.events += read(counted.events_committed);
        sums.dead_letters += read(counted.dead_letters_committed);
    }
    return sums;
}

latency_set read_latencies(const observed& of) {
    latency_set sums{};
    for (const auto& each : of.lanes) {
        const lane_timings& took = each->timings();
        const std::array<const ingest::latency_histogram*, latency_stages> stages{
            &took.record_age, &took.seal, &took.ring, &took.prepare, &took.commit};
        for (std::size_t i = 0; i < latency_stages; ++i) sums[i].merge(stages[i]->read());
    }
    return sums;
}

bool all_lanes_connected(const observed& of) {
    return std::ranges::all_of(of.lanes,
                               [](const auto& each) { return each->counters().connected.load(); });
}

void choose_producers(std::vector<producer_status> all, std::size_t shown_max, status_figures& to) {
    const auto weight = [](const producer_status& of) {
        // Those without figures of their own are never one row among others.
        return std::tuple(!of.name.empty(), of.lag_us > lagging_us ? of.lag_us : 0, of.received);
    };
    std::ranges::stable_sort(all, std::greater{}, weight);
    for (producer_status& each : all) {
        if (!each.name.empty() && to.producers.size() < shown_max) {
            to.producers.push_back(std::move(each));
            continue;
        }
        if (!each.name.empty()) ++to.more_producers;
        add_up(each, to.rest);
    }
}

status_figures read_status(const observed& of, const status_history& history) {
    status_figures figures;
    figures.now_us = unix_now_us();
    figures.version = version_text;
    figures.stopping = of.serving.stopping.load();
    figures.unready = unready_reasons(of);
    figures.unhealthy = unhealthy_reasons(of.lanes, of.serving);
    figures.database_away_since_us = all_lanes_connected(of) ? 0 : history.away_since_us();
    figures.totals = read_traffic(of);
    figures.rates = history.rates();
    auto seconds = history.last_seconds();
    figures.received_a_second = std::move(seconds.received);
    figures.committed_a_second = std::move(seconds.committed);
    figures.bytes_a_second = std::move(seconds.bytes);
    const auto latencies = history.recent_latencies();
    figures.latency_window_s = latencies.window_s;
    figures.latencies = latencies.of;
    figures.spool_bytes_max = of.spool_bytes_max;
    read_lanes(of, figures);
    choose_producers(read_producers(of, figures.now_us), ingest::limits::status_producers_max,
                     figures);
    read_door(of, figures);
    read_helpers(of, figures);
    read_process(figures);
    return figures;
}

}  // namespace tickd
