// `tickd-bench ingest`: the same ticks by each way, in turn, several rounds of it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/commands.h"
#include "bench/ingest/ingest_report.h"
#include "bench/ingest/rsyslog_daemon.h"
#include "daemon/progress_bar.h"

namespace bench {

namespace {

struct ingest_arguments {
    std::uint64_t rows = 2'000'000, rsyslog_rows = 100'000;
    std::uint32_t rounds = 3;
    bool large = false, quick = false;
    std::vector<std::string> workloads, ways;
    std::string results = "bench/results";
};

template <typename Item, typename Name>
std::vector<Item> chosen(const std::vector<Item>& all, const std::vector<std::string>& wanted,
                         Name name) {
    std::vector<Item> some;
    for (const Item& item : all) {
        if (wanted.empty() || std::ranges::contains(wanted, std::string(name(item)))) {
            some.push_back(item);
        }
    }
    return some;
}

// A minute's worth: one recorded and one made-up workload.
void make_quick(ingest_arguments& given) {
    given.rows = std::min<std::uint64_t>(given.rows, 200'000);
    given.rsyslog_rows = std::min<std::uint64_t>(given.rsyslog_rows, 20'000);
    given.rounds = std::min(given.rounds, 2U);
    if (given.workloads.empty()) given.workloads = {"binance", std::string(headline_workload)};
}

std::vector<tick_way> ways_of(const ingest_arguments& given) {
    std::vector<tick_way> ways = chosen(
        std::vector<tick_way>(all_tick_ways.begin(), all_tick_ways.end()), given.ways, name_of);
    if (!rsyslog_daemon::installed() && std::erase(ways, tick_way::rsyslog) != 0) {
        std::fputs("rsyslog with ompgsql is not installed here and is left out\n", stderr);
    }
    return ways;
}

workload_runs measure(const tick_workload& workload, const ingest_arguments& given,
                      const std::vector<tick_way>& ways, bench_server& server) {
    tickd::progress_bar bar(STDERR_FILENO, true, "rows");
    const tickd::test::temporary_folder folder;
    bar.set_label(workload.name + ": making files");
    const tick_files files =
        make_tick_files(workload, given.rows, folder.file(""), [&](std::uint64_t rows) {
            bar.update({.records = rows, .done = rows, .total = std::nullopt});
        });
    workload_runs all{
        .name = workload.name, .description = workload.description, .rows = files.rows, .runs = {}};
    const std::uint64_t run_count = given.rounds * ways.size();
    std::uint64_t done = 0;
    for (std::uint32_t round = 0; round < given.rounds; ++round) {
        for (std::size_t i = 0; i < ways.size(); ++i) {
            // Each round begins with another way, so that none always comes first.
            const tick_way way = ways[(i + round) % ways.size()];
            bar.set_label(std::format("{}, round {} of {}: {}", workload.name, round + 1,
                                      given.rounds, name_of(way)));
            const std::uint64_t before = files.rows * done++;
            const auto progress = [&](std::uint64_t rows) {
                bar.update(
                    {.records = rows, .done = before + rows, .total = files.rows * run_count});
            };
            progress(0);
            const load_options options{.rsyslog_rows = given.rsyslog_rows};
            load_run run = load_ticks(way, server, files, options, progress);
            bar.say(
                std::format("{:<42} {:>9} rows/s{}",
                            std::format("{} {}: {}", workload.name, round + 1, name_of(way)),
                            tickd::format_count(static_cast<std::uint64_t>(run.rows_per_second())),
                            run.difference.none() ? "" : "  LOST OR DOUBLED ROWS"));
            all.runs[way].push_back(run);
        }
    }
    bar.finish(std::format("{}: {} runs of {} rows", workload.name, run_count,
                           tickd::format_count(files.rows)));
    return all;
}

tickd::exit_code run_ingest(ingest_arguments given) {
    if (given.large) given.rows = std::max<std::uint64_t>(given.rows, 20'000'000);
    if (given.quick) make_quick(given);
    const std::vector<tick_way> ways = ways_of(given);
    const std::vector<tick_workload> workloads =
        chosen(tick_workloads(), given.workloads, [](const auto& each) { return each.name; });
    if (ways.empty() || workloads.empty()) throw std::runtime_error("nothing is left to run");

    bench_server server;
    const facts environment = environment_facts(server.folder());
    std::vector<workload_runs> all;
    for (const tick_workload& each : workloads) all.push_back(measure(each, given, ways, server));

    report what = ingest_report(all);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("rounds", std::to_string(given.rounds));
    what.settings.emplace_back("rows", tickd::format_count(given.rows));
    what.settings.emplace_back("rsyslog's rows", tickd::format_count(given.rsyslog_rows));
    print(what);
    for (const auto& path : write_files(what, given.results)) {
        std::fprintf(stderr, "written: %s\n", path.c_str());
    }
    const bool whole = std::ranges::all_of(all, [](const workload_runs& each) {
        const auto ours = each.runs.find(tick_way::tickd);
        return ours == each.runs.end() || is_ranked(ours->second);
    });
    return whole ? tickd::exit_code::ok : tickd::exit_code::check_failed;
}

}  // namespace

void add_ingest_command(CLI::App& app, command_context& context) {
    CLI::App* const ingest = app.add_subcommand(
        "ingest", "Loads the same ticks through tickd, psql \\copy and rsyslog, and compares");
    const auto given = std::make_shared<ingest_arguments>();
    std::vector<std::string> workloads, ways;
    for (const tick_workload& each : tick_workloads()) workloads.push_back(each.name);
    for (const tick_way each : all_tick_ways) ways.emplace_back(name_of(each));
    ingest->add_option("--rows", given->rows, "Ticks of a workload, at most")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
        ->capture_default_str();
    ingest->add_option("--rsyslog-rows", given->rsyslog_rows, "Of these rsyslog gets the first")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
        ->capture_default_str();
    ingest->add_option("--rounds", given->rounds, "How often each way runs")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    ingest->add_option("--workload", given->workloads, "Only these; may be repeated")
        ->check(CLI::IsMember(workloads));
    ingest->add_option("--way", given->ways, "Only these; may be repeated")
        ->check(CLI::IsMember(ways));
    ingest
        ->add_option("--results", given->results,
                     "Folder for the JSON and Markdown files; empty: none")
        ->capture_default_str();
    ingest->add_flag("--large", given->large, "20,000,000 ticks of each made-up workload");
    ingest->add_flag("--quick", given->quick, "A minute's worth, for a first look");
    ingest->callback([&context, given] { context.result = run_ingest(*given); });
}

}  // namespace bench
