// `tickd-bench activity`: events hashed, batched and committed by tickd, beside the same rows by
// `psql \copy` into the mission's plain table, with their hash already computed.
#include <unistd.h>

#include <cstdio>
#include <format>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/activity/event_files.h"
#include "bench/commands.h"
#include "bench/load/bench_server.h"
#include "bench/load/bulk_load.h"
#include "bench/load/copy_files.h"
#include "bench/report/report.h"
#include "bench/report/target.h"
#include "daemon/progress_bar.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

constexpr double target_ratio = 0.7;

struct activity_arguments {
    std::uint64_t rows = 300'000;
    std::uint32_t rounds = 3;
    bool quick = false;
    std::string results = "bench/results";
};

struct event_run {
    double seconds = 0;
    row_difference difference{};
};

struct event_runs {
    event_workload workload;
    std::uint64_t rows = 0, line_bytes = 0;
    std::vector<event_run> ours{}, theirs{};  // the nth of each is of round n

    [[nodiscard]] static bool is_ranked(const std::vector<event_run>& runs) {
        for (const event_run& run : runs) {
            if (!run.difference.none()) return false;
        }
        return true;
    }
    [[nodiscard]] summary rate(const std::vector<event_run>& runs) const {
        std::vector<double> rates;
        for (const event_run& run : runs) rates.push_back(static_cast<double>(rows) / run.seconds);
        return summarize(rates);
    }
    [[nodiscard]] summary ratio() const {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < ours.size(); ++i) {
            ratios.push_back(theirs[i].seconds / ours[i].seconds);
        }
        return summarize(ratios);
    }
};

row_difference difference_in(const std::string& conninfo, const event_files& files) {
    tickd::pg_connection sql = tickd::test::connect(conninfo);
    return files.expected.compare(
        files.rows, read_rows(sql, std::format("SELECT {} FROM public.unified_activity_log",
                                               event_check_columns)));
}

event_run through_tickd(bench_server& server, const event_files& files) {
    const std::string conninfo = server.tickd_database();
    server.settle();
    tickd::test::daemon_process daemon(
        tickd::test::daemon_yaml(tickd::test::as_user(conninfo, "tickd_ingest")));
    if (!daemon.ready()) throw std::runtime_error("tickd is not ready:\n" + daemon.log());
    const mapped_file lines(files.lines);
    const bulk_result sent =
        send_all({.address = daemon.address(), .lines = lines.bytes(), .last_seq = files.rows});
    if (daemon.stop() != 0) throw std::runtime_error("tickd did not end well:\n" + daemon.log());
    event_run run{.seconds = sent.seconds, .difference = difference_in(conninfo, files)};
    server.drop(conninfo);
    return run;
}

event_run through_psql(bench_server& server, const event_files& files) {
    const std::string conninfo = server.mission_database();
    server.settle();
    event_run run{.seconds = psql_copy(conninfo,
                                       std::format("unified_activity_log ({})", event_copy_columns),
                                       files.rows_with_hash, "(format binary)")};
    run.difference = difference_in(conninfo, files);
    server.drop(conninfo);
    return run;
}

event_runs measure(const event_workload& workload, const activity_arguments& given,
                   bench_server& server) {
    tickd::progress_bar bar(STDERR_FILENO, true, "events");
    const tickd::test::temporary_folder folder;
    bar.set_label(workload.name);
    const event_files files = make_event_files(workload, given.rows, folder.file(""));
    event_runs all{.workload = workload, .rows = files.rows, .line_bytes = files.line_bytes};
    const std::uint64_t total = 2 * given.rounds * files.rows;
    std::uint64_t done = 0;
    const auto step = [&](std::vector<event_run>& to, event_run run) {
        to.push_back(run);
        done += files.rows;
        bar.update({.records = done, .done = done, .total = total});
    };
    for (std::uint32_t round = 0; round < given.rounds; ++round) {
        // Each way comes first every other round.
        if (round % 2 == 0) step(all.ours, through_tickd(server, files));
        step(all.theirs, through_psql(server, files));
        if (round % 2 == 1) step(all.ours, through_tickd(server, files));
    }
    bar.finish(std::format("{}: {} rounds of {} events", workload.name, given.rounds,
                           tickd::format_count(files.rows)));
    return all;
}

boost::json::object to_json(const event_runs& of, const std::vector<event_run>& runs) {
    boost::json::array each;
    for (const event_run& run : runs) {
        each.push_back({{"rows", of.rows},
                        {"seconds", run.seconds},
                        {"lost", run.difference.lost},
                        {"doubled", run.difference.doubled},
                        {"changed", run.difference.changed}});
    }
    return {{"ranked", event_runs::is_ranked(runs)},
            {"events_per_second", to_json(of.rate(runs))},
            {"runs", std::move(each)}};
}

target_row target_of(const std::vector<event_runs>& all) {
    target_row target{.label = "A1",
                      .what = "events by tickd over psql \\copy of the same rows",
                      .why_not = "lost or doubled rows",
                      .goal = target_ratio};
    for (const event_runs& each : all) {
        if (!event_runs::is_ranked(each.ours) || !event_runs::is_ranked(each.theirs)) continue;
        const summary ratio = each.ratio();
        target.elsewhere.push_back(ratio.median);
        // It has to be reached by each.
        if (!target.measured || ratio.median < target.measured->median) target.measured = ratio;
    }
    return target;
}

report activity_report(const std::vector<event_runs>& all) {
    report what{.name = "activity", .title = "Activity events: hashed and committed"};
    text_table table({{"events", align::left},
                      {"bytes each"},
                      {"tickd, events/s"},
                      {"tickd, MB/s"},
                      {"psql \\copy, events/s"},
                      {"tickd over it"}});
    boost::json::array workloads;
    for (const event_runs& each : all) {
        const bool ranked = event_runs::is_ranked(each.ours) && event_runs::is_ranked(each.theirs);
        const double bytes = static_cast<double>(each.line_bytes) / static_cast<double>(each.rows);
        const double ours = each.rate(each.ours).median;
        table.add({std::format("{} ({})", each.workload.name, each.workload.description),
                   std::format("{:.0f}", bytes), value_text(ours, target_unit::per_second),
                   std::format("{:.1f}", ours * bytes / 1e6),
                   value_text(each.rate(each.theirs).median, target_unit::per_second),
                   ranked ? ratio_text(each.ratio().median) : "not ranked"});
        workloads.push_back({{"name", each.workload.name},
                             {"rows", each.rows},
                             {"line_bytes", each.line_bytes},
                             {"tickd", to_json(each, each.ours)},
                             {"copy-binary", to_json(each, each.theirs)}});
    }
    const std::vector targets{target_of(all)};
    what.sections.push_back({.heading = "Target", .table = target_table(targets)});
    what.sections.push_back(
        {.heading = "Rates",
         .table = std::move(table),
         .notes = {"tickd over TCP, acked committed, with the records and the tree of the activity "
                   "log; psql into the mission's table as written, hashes in the file."}});
    what.results["targets"] = to_json(targets);
    what.results["workloads"] = std::move(workloads);
    return what;
}

tickd::exit_code run_activity(activity_arguments given) {
    if (given.quick) {
        given.rows = 50'000;
        given.rounds = 2;
    }
    bench_server server;
    const facts environment = environment_facts(server.folder());
    std::vector<event_runs> all;
    for (const event_workload& each : event_workloads()) {
        all.push_back(measure(each, given, server));
    }
    report what = activity_report(all);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("rounds", std::to_string(given.rounds));
    what.settings.emplace_back("events", tickd::format_count(given.rows));
    print(what);
    for (const auto& path : write_files(what, given.results)) {
        std::fprintf(stderr, "written: %s\n", path.c_str());
    }
    for (const event_runs& each : all) {
        if (!event_runs::is_ranked(each.ours)) return tickd::exit_code::check_failed;
    }
    return tickd::exit_code::ok;
}

}  // namespace

void add_activity_command(CLI::App& app, command_context& context) {
    CLI::App* const activity = app.add_subcommand(
        "activity", "Loads the same activity events through tickd and psql \\copy, and compares");
    const auto given = std::make_shared<activity_arguments>();
    activity->add_option("--rows", given->rows, "Events of a run")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
        ->capture_default_str();
    activity->add_option("--rounds", given->rounds, "How often each way runs")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    activity
        ->add_option("--results", given->results,
                     "Folder for the JSON and Markdown files; empty: none")
        ->capture_default_str();
    activity->add_flag("--quick", given->quick, "A minute's worth, for a first look");
    activity->callback([&context, given] { context.result = run_activity(*given); });
}

}  // namespace bench
