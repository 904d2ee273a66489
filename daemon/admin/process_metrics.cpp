// The process as a whole: what the kernel says, the build, health, listeners, notary, admin server.
#include <format>

#include "daemon/admin/health_pages.h"
#include "daemon/admin/metrics.h"
#include "daemon/admin/process_figures.h"
#include "tickd_version.h"

namespace tickd {

namespace {

constexpr double us = 1e-6;

#ifdef __clang__
constexpr std::string_view compiler = "clang " __clang_version__;
#else
constexpr std::string_view compiler = "g++ " __VERSION__;
#endif

void add_kernel_figures(metric_page& page) {
    const process_figures seen = read_process_figures();
    page.counters("process_cpu_seconds_total", "Processor time of user and system.");
    page.sample({}, seen.cpu_s);
    page.gauges("process_start_time_seconds", "When the process began, since 1970.");
    page.sample({}, seen.started_s);
    page.gauges("process_resident_memory_bytes", "Memory in use.");
    page.sample({}, seen.resident_bytes);
    page.gauges("process_virtual_memory_bytes", "Address space.");
    page.sample({}, seen.virtual_bytes);
    page.gauges("process_threads", "Threads.");
    page.sample({}, seen.threads);
    page.gauges("process_open_fds", "Open file descriptors.");
    page.sample({}, seen.open_fds);
    page.gauges("process_max_fds", "The most there may be.");
    page.sample({}, seen.max_fds);
}

void add_listener_metrics(const observed& of, metric_page& page) {
    const auto each = [&](auto value_of) {
        for (const auto& at : of.listeners) {
            page.sample({{"listener", at.name}}, value_of(*at.counters));
        }
    };
    using counters = listener_counters;
    page.gauges("tickd_sessions_open", "Connections of a listener that are open.");
    each([](const counters& at) { return std::uint64_t{at.open.load()}; });
    page.counters("tickd_connections_accepted_total", "Connections that were taken.");
    each([](const counters& at) { return read(at.accepted); });
    page.counters("tickd_connections_refused_total",
                  "Connections closed at once, because sessions_max were open.");
    each([](const counters& at) { return read(at.refused); });
    page.counters("tickd_tls_failures_total", "Connections with which no TLS session came about.");
    each([](const counters& at) { return read(at.tls_failures); });
    page.counters("tickd_turned_away_total", "Connections told why and closed at the door.");
    for (const auto& at : of.listeners) {
        for (std::uint8_t i = 0; i < ingest::session_error_count; ++i) {
            const auto code = static_cast<ingest::session_error>(i);
            page.sample({{"listener", at.name}, {"code", ingest::to_string(code)}},
                        read(at.counters->turned_away[i]));
        }
    }
}

// Without a notary the families are there, empty.
void add_notary_metrics(const observed& of, metric_page& page) {
    const auto show = [&](auto value_of) {
        if (of.notary != nullptr) page.sample({}, value_of(*of.notary));
    };
    using figures = notary_figures;
    page.gauges("tickd_notary_stopped",
                "1: the notary has found something that does not hold and signs no more.");
    show([](const figures& at) { return at.stopped.load(); });
    page.gauges("tickd_notary_log_records", "Records of the activity log it has seen.");
    show([](const figures& at) { return at.log_records.load(); });
    page.gauges("tickd_notary_signed_records", "Records under its newest checkpoint.");
    show([](const figures& at) { return at.signed_records.load(); });
    page.gauges("tickd_notary_signed_time_seconds",
                "When it signed last, since 1970; 0: not since the start.");
    show([](const figures& at) { return static_cast<double>(at.signed_at_us.load()) * us; });
    page.counters("tickd_notary_failures_total", "Rounds that it could not finish.");
    show([](const figures& at) { return at.failures.load(); });
}

// Likewise.
void add_compaction_metrics(const observed& of, metric_page& page) {
    const auto count = [&](std::string_view name, std::string_view help,
                           std::atomic<std::uint64_t> compactor_counters::* member) {
        page.counters(name, help);
        if (of.compaction != nullptr) page.sample({}, (of.compaction->*member).load());
    };
    using counters = compactor_counters;
    count("tickd_compaction_rounds_total", "Times the compactor looked.", &counters::rounds);
    count("tickd_compaction_folds_total", "Transactions in which it merged something.",
          &counters::folds);
    count("tickd_compaction_segments_taken_total", "Segments it replaced.",
          &counters::segments_taken);
    count("tickd_compaction_segments_made_total", "Segments it made of them.",
          &counters::segments_made);
    count("tickd_compaction_ticks_total", "Ticks in them.", &counters::ticks);
    count("tickd_compaction_candles_total", "Candles it wrote.", &counters::candles);
    count("tickd_compaction_failures_total", "Rounds that it could not finish.",
          &counters::failures);
    page.gauges("tickd_compaction_connected", "1: it has its connection.");
    if (of.compaction != nullptr) page.sample({}, of.compaction->connected.load());
    page.gauges("tickd_compaction_done_time_seconds",
                "When it last left nothing fresh, since 1970; 0: not since the start.");
    if (of.compaction != nullptr) {
        page.sample({}, static_cast<double>(of.compaction->last_done_us.load()) * us);
    }
}

void add_admin_metrics(const observed& of, metric_page& page) {
    page.counters("tickd_admin_requests_total", "Answers of this server, by kind of status.");
    for (unsigned kind = 2; kind <= 5; ++kind) {
        page.sample({{"code", std::format("{}xx", kind)}}, read(of.requests.by_class[kind]));
    }
    page.counters("tickd_admin_connections_refused_total",
                  "Connections to it beyond those it keeps.");
    page.sample({}, read(of.requests.by_class[0]));
}

}  // namespace

void add_process_metrics(const observed& of, metric_page& page) {
    add_kernel_figures(page);
    page.gauges("tickd_build_info", "1, with what was built and by what.");
    page.sample({{"version", version_text}, {"compiler", compiler}}, true);
    page.gauges("tickd_ready", "1: records come in and are committed, as /readyz says.");
    page.sample({}, unready_reasons(of).empty());
    page.counters("tickd_reloads_total",
                  "Times SIGHUP was followed, or its configuration was not.");
    page.sample({{"result", "taken"}}, of.serving.reloads.load());
    page.sample({{"result", "refused"}}, of.serving.reloads_refused.load());
    add_listener_metrics(of, page);
    add_notary_metrics(of, page);
    add_compaction_metrics(of, page);
    add_admin_metrics(of, page);
}

}  // namespace tickd
