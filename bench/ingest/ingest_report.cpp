#include "bench/ingest/ingest_report.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <optional>

#include "daemon/progress_bar.h"

namespace bench {

namespace {

std::string count_text(double value) {
    return tickd::format_count(static_cast<std::uint64_t>(std::llround(value)));
}

summary rate_of(const std::vector<load_run>& runs) {
    std::vector<double> rates;
    for (const load_run& run : runs) rates.push_back(run.rows_per_second());
    return summarize(rates);
}

// tickd's rate over the other's, round by round: what slows the machine down for a while slows
// both.
summary ratio_to(const workload_runs& of, tick_way other) {
    const std::vector<load_run>& ours = of.runs.at(tick_way::tickd);
    const std::vector<load_run>& theirs = of.runs.at(other);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
        ratios.push_back(ours[i].rows_per_second() / theirs[i].rows_per_second());
    }
    return summarize(ratios);
}

std::string why_not(const workload_runs& of, tick_way way) {
    const auto found = of.runs.find(way);
    if (found == of.runs.end()) return "not run";
    return is_ranked(found->second) ? "" : "lost or doubled rows";
}

std::optional<summary> ratio_if_ranked(const workload_runs& of, tick_way other) {
    if (!why_not(of, tick_way::tickd).empty() || !why_not(of, other).empty()) return std::nullopt;
    return ratio_to(of, other);
}

const workload_runs& headline_of(const std::vector<workload_runs>& all) {
    const auto found = std::ranges::find(all, headline_workload, &workload_runs::name);
    return found == all.end() ? all.front() : *found;
}

target_row ratio_target(const std::vector<workload_runs>& all, std::string label, tick_way other,
                        double goal) {
    const workload_runs& headline = headline_of(all);
    target_row row{.label = std::move(label),
                   .what = std::format("tickd over {}", explain(other)),
                   .measured = ratio_if_ranked(headline, other),
                   .goal = goal};
    for (const workload_runs& each : all) {
        if (const auto ratio = ratio_if_ranked(each, other)) row.elsewhere.push_back(ratio->median);
    }
    if (!row.measured) {
        row.why_not = why_not(headline, tick_way::tickd);
        if (row.why_not.empty()) row.why_not = why_not(headline, other);
    }
    return row;
}

target_row memory_target(const std::vector<workload_runs>& all) {
    target_row row{.label = "I6",
                   .what = "tickd, most resident memory of any run, the queue full",
                   .unit = target_unit::bytes,
                   .why_not = "not run",
                   .goal = 256.0 * 1024 * 1024,
                   .goal_is_least = false};
    std::vector<double> peaks;
    for (const workload_runs& each : all) {
        const auto found = each.runs.find(tick_way::tickd);
        if (found == each.runs.end()) continue;
        for (const load_run& run : found->second) {
            peaks.push_back(static_cast<double>(run.resident_peak_bytes));
        }
    }
    if (!peaks.empty()) {
        row.measured = summarize(peaks);
        row.measured->median = row.measured->most;  // a bound is on the worst, not on the middle
    }
    return row;
}

row_difference sum_of(const std::vector<load_run>& runs) {
    row_difference sum;
    for (const load_run& run : runs) {
        sum.lost += run.difference.lost;
        sum.doubled += run.difference.doubled;
        sum.changed += run.difference.changed;
    }
    return sum;
}

report_section section_of(const workload_runs& of) {
    text_table table({{"way", align::left},
                      {"rows"},
                      {"rows/s"},
                      {"least to most"},
                      {"tickd over it"},
                      {"lost"},
                      {"doubled"},
                      {"changed"}});
    for (const auto& [way, runs] : of.runs) {
        const summary rate = rate_of(runs);
        const row_difference sum = sum_of(runs);
        const auto ratio = ratio_if_ranked(of, way);
        table.add({std::string(explain(way)), tickd::format_count(runs.front().rows),
                   count_text(rate.median),
                   std::format("{} to {}", count_text(rate.least), count_text(rate.most)),
                   ratio ? ratio_text(ratio->median) : "not ranked", tickd::format_count(sum.lost),
                   tickd::format_count(sum.doubled), tickd::format_count(sum.changed)});
    }
    return {.heading = std::format("{} ({})", of.name, of.description), .table = std::move(table)};
}

boost::json::object to_json(const load_run& run) {
    boost::json::object object{{"rows", run.rows},
                               {"seconds", run.seconds},
                               {"rows_per_second", run.rows_per_second()},
                               {"lost", run.difference.lost},
                               {"doubled", run.difference.doubled},
                               {"changed", run.difference.changed}};
    if (run.resident_peak_bytes != 0) {
        object["resident_peak_bytes"] = run.resident_peak_bytes;
        object["cpu_seconds"] = run.cpu_seconds;
    }
    return object;
}

boost::json::object to_json(const workload_runs& of) {
    boost::json::array ways;
    for (const auto& [way, runs] : of.runs) {
        boost::json::array each;
        for (const load_run& run : runs) each.push_back(to_json(run));
        boost::json::object one{{"way", name_of(way)},
                                {"what", explain(way)},
                                {"ranked", is_ranked(runs)},
                                {"rows_per_second", to_json(rate_of(runs))},
                                {"runs", std::move(each)}};
        if (const auto ratio = ratio_if_ranked(of, way)) one["tickd_over_it"] = to_json(*ratio);
        ways.push_back(std::move(one));
    }
    return {{"name", of.name},
            {"description", of.description},
            {"rows", of.rows},
            {"ways", std::move(ways)}};
}

}  // namespace

bool is_ranked(const std::vector<load_run>& runs) noexcept {
    return std::ranges::all_of(runs, [](const load_run& run) { return run.difference.none(); });
}

std::vector<target_row> ingest_targets(const std::vector<workload_runs>& all) {
    return {ratio_target(all, "I1", tick_way::copy_binary, 1.5),
            ratio_target(all, "I2", tick_way::copy_sorted, 0.85),
            ratio_target(all, "I3", tick_way::rsyslog, 20), memory_target(all)};
}

report ingest_report(const std::vector<workload_runs>& all) {
    report what{.name = "ingest", .title = "The same ticks, by each way into TimescaleDB"};
    const std::vector<target_row> targets = ingest_targets(all);
    what.sections.push_back(
        {.heading = std::format("Targets ({})", headline_of(all).name),
         .table = target_table(targets),
         .notes = {"Medians of the rounds' ratios; of I6 the worst run. Every run's table was "
                   "compared with what was loaded, row by row."}});
    boost::json::array workloads;
    for (const workload_runs& each : all) {
        what.sections.push_back(section_of(each));
        workloads.push_back(to_json(each));
    }
    what.results["targets"] = to_json(targets);
    what.results["workloads"] = std::move(workloads);
    return what;
}

}  // namespace bench
