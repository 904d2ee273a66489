#include "daemon/admin/status_json.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "daemon/json_writer.h"

namespace tickd {

namespace {

// 0 says that there is none.
[[nodiscard]] std::optional<std::int64_t> if_any(std::int64_t time_us) {
    return time_us == 0 ? std::nullopt : std::optional(time_us);
}

void put_texts(json_writer& to, std::string_view name, const std::vector<std::string>& texts) {
    to.key(name).begin_array();
    for (const std::string& each : texts) to.value(each);
    to.end_array();
}

void put_seconds(json_writer& to, std::string_view name, const std::vector<std::uint32_t>& rates) {
    to.key(name).begin_array();
    for (const std::uint32_t each : rates) to.value(each);
    to.end_array();
}

void put_traffic(json_writer& to, const status_figures& of) {
    to.key("totals").begin_object();
    to.member("received_bytes", of.totals.received_bytes).member("received", of.totals.received);
    to.member("ticks", of.totals.ticks).member("events", of.totals.events);
    to.member("dead_letters", of.totals.dead_letters).member("duplicates", of.duplicates);
    to.end_object();
    to.key("rates").begin_object();
    to.member("received_bytes", std::llround(of.rates.received_bytes));
    to.member("received", std::llround(of.rates.received));
    to.member("ticks", std::llround(of.rates.ticks));
    to.member("events", std::llround(of.rates.events));
    to.end_object();
    to.key("seconds").begin_object();
    put_seconds(to, "received", of.received_a_second);
    put_seconds(to, "committed", of.committed_a_second);
    put_seconds(to, "received_bytes", of.bytes_a_second);
    to.end_object();
}

// Without a record there is no percentile.
void put_latencies(json_writer& to, const status_figures& of) {
    to.key("latency").begin_object().member("window_s", of.latency_window_s);
    for (std::size_t i = 0; i < latency_stages; ++i) {
        const latency_figures& seen = of.latencies[i];
        const auto figure = [&](std::int64_t us) {
            return seen.count == 0 ? std::nullopt : std::optional(us);
        };
        to.key(latency_stage_names[i]).begin_object();
        to.member("count", seen.count).member("p50_us", figure(seen.p50_us));
        to.member("p99_us", figure(seen.p99_us)).member("p999_us", figure(seen.p999_us));
        to.end_object();
    }
    to.end_object();
}

void put_lanes(json_writer& to, const status_figures& of) {
    to.key("lanes").begin_array();
    for (const lane_status& each : of.lanes) {
        to.begin_object();
        to.member("lane", each.number).member("connected", each.connected);
        to.member("stuck", each.stuck).member("sessions", each.sessions);
        to.member("in_flight", each.in_flight).member("blocks", each.blocks_out);
        to.member("blocks_max", each.blocks_max).member("spooled", each.spooled);
        to.member("spool_bytes", each.spool_bytes).member("connects", each.connects);
        to.member("failures", each.failures).member("unaccounted", each.unaccounted);
        to.member("committed_at_us", if_any(each.committed_at_us));
        to.end_object();
    }
    to.end_array().member("spool_bytes_max", of.spool_bytes_max);
}

void put_counts(json_writer& to, const producer_status& of) {
    to.member("received", of.received).member("committed", of.committed);
    to.member("duplicates", of.duplicates).member("dead_lettered", of.dead_lettered);
    to.member("seq_gaps", of.seq_gaps).member("lag_us", of.lag_us);
}

void put_producers(json_writer& to, const status_figures& of) {
    to.key("producers").begin_array();
    for (const producer_status& each : of.producers) {
        to.begin_object().member("producer", each.name).member("tenant", each.tenant);
        put_counts(to, each);
        // As text: it may be larger than what JavaScript's numbers hold exactly.
        to.member("watermark", std::to_string(each.watermark)).end_object();
    }
    to.end_array().member("more_producers", of.more_producers);
    to.key("rest").begin_object();
    put_counts(to, of.rest);
    to.end_object();
}

void put_refusals(json_writer& to, const status_figures& of) {
    to.key("refused").begin_array();
    for (const auto& [verdict, count] : of.refused) {
        to.begin_object().member("verdict", verdict).member("count", count).end_object();
    }
    to.end_array();
    to.member("turned_away", of.turned_away).member("connections_refused", of.connections_refused);
}

void put_helpers(json_writer& to, const status_figures& of) {
    to.key("notary");
    if (const auto& at = of.notary) {
        to.begin_object().member("stopped", at->stopped).member("log_records", at->log_records);
        to.member("signed_records", at->signed_records);
        to.member("signed_at_us", if_any(at->signed_at_us)).member("failures", at->failures);
        to.end_object();
    } else {
        to.null();
    }
    to.key("compactor");
    if (const auto& at = of.compactor) {
        to.begin_object().member("connected", at->connected);
        to.member("segments_taken", at->segments_taken).member("segments_made", at->segments_made);
        to.member("ticks", at->ticks).member("candles", at->candles);
        to.member("failures", at->failures).member("done_at_us", if_any(at->done_at_us));
        to.end_object();
    } else {
        to.null();
    }
}

void put_process(json_writer& to, const status_figures& of) {
    to.key("process").begin_object();
    to.member("cpu_us", std::llround(of.process.cpu_s * 1e6));
    to.member("resident_bytes", of.process.resident_bytes).member("threads", of.process.threads);
    to.member("open_fds", of.process.open_fds).end_object();
}

}  // namespace

std::string status_json(const status_figures& of) {
    json_writer to;
    to.begin_object();
    to.member("now_us", of.now_us).member("started_at_us", if_any(of.started_at_us));
    to.member("version", of.version).member("stopping", of.stopping);
    put_texts(to, "unready", of.unready);
    put_texts(to, "unhealthy", of.unhealthy);
    to.member("database_away_since_us", if_any(of.database_away_since_us));
    put_traffic(to, of);
    put_latencies(to, of);
    put_lanes(to, of);
    put_producers(to, of);
    put_refusals(to, of);
    put_helpers(to, of);
    put_process(to, of);
    to.end_object();
    return to.text();
}

}  // namespace tickd
