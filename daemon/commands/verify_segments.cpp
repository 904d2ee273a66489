// `tickd verify segments`.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <format>
#include <memory>
#include <thread>

#include "daemon/commands/verify_commands.h"
#include "daemon/json_quoted.h"
#include "daemon/progress_bar.h"
#include "daemon/utc_day.h"
#include "daemon/verify/segment_verification.h"

namespace tickd {

namespace {

struct arguments {
    std::string database, from, to;
    unsigned jobs = 0;
    bool json = false, no_progress = false;
};

std::string to_line(const segment_finding& found) {
    return std::format("{}  {:<10}  {}{}{}  {}", to_date(found.day), to_string(found.fault),
                       found.symbol.empty() ? "(several symbols)" : found.symbol,
                       found.tenant.empty() ? "" : " of ", found.tenant, found.detail);
}

std::string to_json(const segment_finding& found) {
    return std::format(R"({{"day":"{}","fault":"{}","symbol":{},"tenant":{},"detail":{}}})",
                       to_date(found.day), to_string(found.fault), json_quoted(found.symbol),
                       json_quoted(found.tenant), json_quoted(found.detail));
}

void print(const segment_report& report, bool json) {
    constexpr std::size_t shown_max = 20;
    const bool clean = report.found.empty();
    if (json) {
        for (const segment_finding& each : report.found) std::puts(to_json(each).c_str());
        std::puts(
            std::format(
                R"({{"result":"{}","days":{},"rows":{},"segments":{},"candles":{},"findings":{}}})",
                clean ? "equal" : "different", report.days, report.rows, report.segments,
                report.candles, report.found.size())
                .c_str());
        return;
    }
    for (std::size_t i = 0; i < std::min(report.found.size(), shown_max); ++i) {
        std::puts(to_line(report.found[i]).c_str());
    }
    if (report.found.size() > shown_max) {
        std::puts(
            std::format("and {} more; --json prints all", report.found.size() - shown_max).c_str());
    }
    std::puts(clean ? "equal: segments and candles say what the rows say"
                    : "DIFFERENT: `tickd db rebuild-segments` makes them anew from the rows");
}

void run(command_context& context, const arguments& given) {
    segment_request request;
    request.jobs = given.jobs != 0 ? given.jobs : std::max(1U, std::thread::hardware_concurrency());
    for (const auto& [text, day] :
         {std::pair(&given.from, &request.from_day), std::pair(&given.to, &request.to_day)}) {
        if (text->empty()) continue;
        const auto parsed = parse_date(*text);
        if (!parsed) {
            std::fprintf(stderr, "tickd: %s is no day such as 2026-01-31\n", text->c_str());
            context.result = exit_code::usage;
            return;
        }
        *day = *parsed;
    }
    const auto target = log_target(context, given.database);
    if (!target) return;
    request.target = *target;
    const auto begun = std::chrono::steady_clock::now();
    progress_bar bar(STDERR_FILENO, !given.no_progress, "rows");
    bar.set_label("comparing");
    const auto report =
        verify_segments(request, [&](std::uint64_t done, std::uint64_t days, std::uint64_t rows) {
            bar.update({.records = rows, .done = done, .total = days});
        });
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!report) {
        could_not_verify(context, report.error());
        return;
    }
    bar.finish(std::format(
        "{} rows, {} segments, {} candles of {} days in {}, {}", format_count(report->rows),
        format_count(report->segments), format_count(report->candles), format_count(report->days),
        format_elapsed(seconds),
        format_rate(static_cast<double>(report->rows) / std::max(seconds, 1e-6), "rows")));
    print(*report, given.json);
    context.result = report->found.empty() ? exit_code::ok : exit_code::check_failed;
}

}  // namespace

void add_verify_segments_command(CLI::App& verify, command_context& context) {
    CLI::App* const segments = verify.add_subcommand(
        "segments", "Segments and candles against rows: every value; exit code 1: they differ");
    const auto given = std::make_shared<arguments>();
    segments->add_option("--from", given->from, "First day (UTC); default: the first there is")
        ->type_name("YYYY-MM-DD");
    segments->add_option("--to", given->to, "Last day; default: the last there is")
        ->type_name("YYYY-MM-DD");
    segments->add_option("--jobs", given->jobs, "Days at a time; default: one a core")
        ->check(CLI::Range(1U, 64U));
    segments->add_option("--database", given->database,
                         "Connection string, in place of the configuration's");
    segments->add_flag("--json", given->json, "JSON lines: findings, result");
    segments->add_flag("--no-progress", given->no_progress, "No progress bar");
    segments->callback([&context, given] { run(context, *given); });
}

}  // namespace tickd
