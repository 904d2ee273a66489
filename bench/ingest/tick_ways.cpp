#include "bench/ingest/tick_ways.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <stdexcept>

#include "bench/ingest/rsyslog_daemon.h"
#include "bench/load/bulk_load.h"
#include "bench/load/copy_files.h"
#include "bench/load/process_figures.h"
#include "ingest/record_parser.h"
#include "ingest/timestamp.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

namespace bench {

namespace {

using tickd::test::await_condition;

// Of the first `rows` lines.
std::string_view first_lines(std::string_view lines, std::uint64_t rows) {
    std::size_t end = 0;
    while (rows-- > 0) end = lines.find('\n', end) + 1;
    return lines.substr(0, end);
}

load_run through_tickd(const std::string& conninfo, const tick_files& files,
                       std::string_view settings,
                       const std::function<void(std::uint64_t)>& progress) {
    tickd::test::daemon_process daemon(
        tickd::test::daemon_yaml(tickd::test::as_user(conninfo, "tickd_ingest"), settings));
    if (!daemon.ready()) throw std::runtime_error("tickd is not ready:\n" + daemon.log());
    const mapped_file lines(files.lines);
    const double cpu_before = cpu_seconds_of(daemon.pid());
    const bulk_result sent = send_all({.address = daemon.address(),
                                       .lines = lines.bytes(),
                                       .last_seq = files.rows,
                                       .progress = progress});
    load_run run{.rows = files.rows,
                 .seconds = sent.seconds,
                 .resident_peak_bytes = daemon.resident_peak_bytes(),
                 .cpu_seconds = cpu_seconds_of(daemon.pid()) - cpu_before};
    if (const int code = daemon.stop(); code != 0) {
        throw std::runtime_error(std::format("tickd ended with {}:\n{}", code, daemon.log()));
    }
    return run;
}

// A query that says whether the tick of this line is in the table, by its index.
std::string query_for(std::string_view line) {
    std::string padded(line);
    padded.append(ingest::line_padding_bytes, ' ');
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    const std::string_view bare(padded.data(), line.size() - 1);
    static_cast<void>(parser.parse(bare, {}, {}, INT64_MAX / 2, record));
    return std::format(
        "SELECT EXISTS (SELECT FROM price_telemetry WHERE symbol = {} AND time = '{}')",
        tickd::quote_literal(record.symbol), ingest::to_rfc3339(record.time_us));
}

load_run through_rsyslog(const std::string& conninfo, const tick_files& files,
                         const load_options& options,
                         const std::function<void(std::uint64_t)>& progress) {
    const std::uint64_t rows = std::min(files.rows, options.rsyslog_rows);
    const mapped_file mapped(files.lines);
    const std::string_view lines = first_lines(mapped.bytes(), rows);
    const std::string last_is_in = query_for(lines.substr(lines.rfind('\n', lines.size() - 2) + 1));
    tickd::pg_connection sql = tickd::test::connect(conninfo);
    rsyslog_daemon daemon(conninfo);

    const auto begun = std::chrono::steady_clock::now();
    tickd::test::tcp_client to(std::format("127.0.0.1:{}", daemon.port()));
    constexpr std::size_t piece_bytes = 64UL * 1024;
    for (std::size_t at = 0; at < lines.size(); at += piece_bytes) {
        to.send(lines.substr(at, piece_bytes));
    }
    to.finish();
    // It writes in order. Looking for the last row by the index costs next to nothing; rows of the
    // same key may be older, so they are counted then.
    std::uint64_t in = 0;
    const auto all_in = [&] {
        if (tickd::test::one(sql, last_is_in) != "t") return false;
        in = std::stoull(tickd::test::one(sql, "SELECT count(*) FROM price_telemetry"));
        progress(in);
        return in >= rows;
    };
    // A minute more than it would take at a tenth of its usual rate.
    const std::chrono::seconds at_most{60 + rows / 1000};
    static_cast<void>(await_condition(all_in, at_most));
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    if (in == 0) throw std::runtime_error("rsyslog wrote nothing:\n" + daemon.log());
    return {.rows = rows, .seconds = passed.count()};
}

load_run through_psql(tick_way way, const std::string& conninfo, const tick_files& files) {
    const std::string mission_target = std::format("price_telemetry ({})", mission_columns);
    load_run run{.rows = files.rows};
    switch (way) {
        case tick_way::copy_binary:
            run.seconds = psql_copy(conninfo, mission_target, files.arrival, "(format binary)");
            break;
        case tick_way::copy_text:
            run.seconds = psql_copy(conninfo, mission_target, files.text, "");
            break;
        case tick_way::copy_sorted:
            run.seconds =
                psql_copy(conninfo, std::format("price_telemetry ({}, tenant_id)", mission_columns),
                          files.sorted, "(format binary)");
            break;
        case tick_way::tickd:
        case tick_way::tickd_rows:
        case tick_way::rsyslog: throw std::logic_error("not a way of psql");
    }
    return run;
}

bool needs_tickds_tables(tick_way way) {
    return way == tick_way::tickd || way == tick_way::tickd_rows || way == tick_way::copy_sorted;
}

load_run load_into(const std::string& conninfo, tick_way way, const tick_files& files,
                   const load_options& options,
                   const std::function<void(std::uint64_t)>& progress) {
    if (way == tick_way::tickd) return through_tickd(conninfo, files, {}, progress);
    if (way == tick_way::tickd_rows) {
        return through_tickd(conninfo, files, without_segments, progress);
    }
    if (way == tick_way::rsyslog) return through_rsyslog(conninfo, files, options, progress);
    return through_psql(way, conninfo, files);
}

}  // namespace

std::string_view name_of(tick_way way) noexcept {
    switch (way) {
        case tick_way::tickd: return "tickd";
        case tick_way::tickd_rows: return "tickd-rows";
        case tick_way::copy_binary: return "copy-binary";
        case tick_way::copy_text: return "copy-text";
        case tick_way::copy_sorted: return "copy-sorted";
        case tick_way::rsyslog: return "rsyslog";
    }
    return {};
}

std::string_view explain(tick_way way) noexcept {
    switch (way) {
        case tick_way::tickd: return "tickd, JSON over TCP, acked committed, full schema";
        case tick_way::tickd_rows: return "tickd without segments and candles";
        case tick_way::copy_binary: return "psql \\copy binary, mission's table";
        case tick_way::copy_text: return "psql \\copy text, mission's table";
        case tick_way::copy_sorted: return "psql \\copy binary, sorted, tickd's table";
        case tick_way::rsyslog: return "rsyslog, JSON over TCP, mission's table";
    }
    return {};
}

load_run load_ticks(tick_way way, bench_server& server, const tick_files& files,
                    const load_options& options,
                    const std::function<void(std::uint64_t)>& progress) {
    const std::string conninfo =
        needs_tickds_tables(way) ? server.tickd_database() : server.mission_database();
    server.settle();
    load_run run = load_into(conninfo, way, files, options, progress);
    {
        tickd::pg_connection sql = tickd::test::connect(conninfo);
        run.difference = files.expected.compare(
            run.rows,
            read_rows(sql, std::format("SELECT {} FROM public.price_telemetry", mission_columns)));
    }
    server.drop(conninfo);
    return run;
}

}  // namespace bench
