// `tickd-bench query`: a million ticks back, through segments and beside the plain way.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <format>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/commands.h"
#include "bench/query/query_report.h"
#include "bench/report/line_chart.h"
#include "daemon/progress_bar.h"

namespace bench {

namespace {

struct query_arguments {
    std::vector<std::uint64_t> sizes{1'144'807, 10'000'000, 100'000'000};
    std::uint32_t runs = 50;
    std::uint32_t cold_runs = 5;
    bool quick = false;
    std::string results = "bench/results";
};

[[nodiscard]] std::vector<query_dataset> datasets_of(const query_arguments& given) {
    std::vector<query_dataset> all;
    if (has_recording()) {
        all.push_back({.name = "EURUSD",
                       .description = "recorded quotes of EURUSD, two weeks",
                       .recorded = true,
                       .rows = 0});
    }
    // One made-up size is enough for a first look, and none when there is the recording.
    if (given.quick && !all.empty()) return all;
    for (const std::uint64_t size : given.sizes) {
        all.push_back(
            {.name = short_count(static_cast<double>(size)),
             .description = "made-up ticks, 1,144,807 of them of the symbol that is asked for",
             .recorded = false,
             .rows = size});
        if (given.quick) break;
    }
    return all;
}

[[nodiscard]] dataset_results measure(bench_server& server, const query_dataset& what,
                                      const query_arguments& given) {
    tickd::progress_bar bar(STDERR_FILENO, true, "rows");
    bar.set_label(what.name + ": loading");
    const query_data data(server, what, [&](std::uint64_t rows) {
        bar.update({.records = rows,
                    .done = rows,
                    .total = what.rows == 0 ? std::nullopt : std::optional(what.rows)});
    });
    bar.finish(std::format("{}: {} rows loaded", what.name, tickd::format_count(data.rows())));
    dataset_results all{
        .what = what, .rows = data.rows(), .owner = {}, .tenant = {}, .loaded = {}, .cold = {}};
    tickd::progress_bar runs(STDERR_FILENO, true, "rounds");
    std::uint64_t done = 0;
    const std::uint64_t total = std::uint64_t{3} * given.runs + given.cold_runs;
    const auto progress = [&] {
        ++done;
        runs.update({.records = done, .done = done, .total = total});
    };
    runs.set_label(what.name + ": idle");
    all.owner = run_queries(data, data.conninfo(), given.runs, true, progress);
    runs.set_label(what.name + ": as a tenant");
    all.tenant = run_queries(data, data.as_tenant(), given.runs, false, progress);
    runs.set_label(what.name + ": during full ingest");
    {
        const auto load = data.under_load();
        all.loaded = run_queries(data, data.conninfo(), given.runs, false, progress);
    }
    runs.set_label(what.name + ": cold");
    data.await_compactor();
    all.cold = run_cold(server, data, given.cold_runs, progress);
    runs.finish(std::format("{}: {} rounds", what.name, total));
    return all;
}

void write_chart(const std::vector<dataset_results>& all, const std::filesystem::path& beside) {
    line_chart chart{.title = "A million ticks fetched and decoded, by the size of the table",
                     .x_label = "rows in the table",
                     .y_label = "ms, median",
                     .points = {}};
    for (const dataset_results& each : all) {
        if (each.what.recorded) continue;
        const query_times& fetch = each.owner.of.front();
        constexpr double ms = 1000;
        chart.points.push_back({.x = static_cast<double>(each.rows),
                                .y = fetch.quantile(0.5) * ms,
                                .y_least = fetch.quantile(0) * ms,
                                .y_most = fetch.quantile(0.99) * ms});
    }
    if (chart.points.size() < 2) return;
    std::filesystem::path path = beside;
    path.replace_extension(".svg");
    std::ofstream(path) << to_svg(chart);
    std::fprintf(stderr, "written: %s\n", path.c_str());
}

[[nodiscard]] tickd::exit_code run_query(query_arguments given) {
    if (given.quick) {
        given.runs = std::min(given.runs, 10U);
        given.cold_runs = std::min(given.cold_runs, 1U);
    }
    std::ranges::sort(given.sizes);
    bench_server server;
    const facts environment = environment_facts(server.folder());
    std::vector<dataset_results> all;
    for (const query_dataset& each : datasets_of(given)) {
        all.push_back(measure(server, each, given));
    }
    report what = query_report(all);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("runs", std::to_string(given.runs));
    what.settings.emplace_back("cold runs", std::to_string(given.cold_runs));
    print(what);
    const auto paths = write_files(what, given.results);
    for (const auto& path : paths) std::fprintf(stderr, "written: %s\n", path.c_str());
    if (!paths.empty()) write_chart(all, paths.front());
    const bool equal = std::ranges::all_of(
        all, [](const dataset_results& each) { return each.owner.difference.empty(); });
    return equal ? tickd::exit_code::ok : tickd::exit_code::check_failed;
}

}  // namespace

void add_query_command(CLI::App& app, command_context& context) {
    CLI::App* const query = app.add_subcommand(
        "query", "Gets a million ticks, aggregates and candles back, and compares with plain SQL");
    const auto given = std::make_shared<query_arguments>();
    query->add_option("--rows", given->sizes, "Rows of a made-up table; may be repeated")
        ->check(CLI::Range(std::uint64_t{1'144'807}, std::uint64_t{10'000'000'000}))
        ->capture_default_str();
    query->add_option("--runs", given->runs, "How often each query runs")
        ->check(CLI::Range(1U, 100'000U))
        ->capture_default_str();
    query
        ->add_option("--cold-runs", given->cold_runs,
                     "How often each query runs on a server that was just started")
        ->check(CLI::Range(0U, 1'000U))
        ->capture_default_str();
    query->add_option("--results", given->results, "Folder for the files; empty: none")
        ->capture_default_str();
    query->add_flag("--quick", given->quick, "One table and ten runs, for a first look");
    query->callback([&context, given] { context.result = run_query(*given); });
}

}  // namespace bench
