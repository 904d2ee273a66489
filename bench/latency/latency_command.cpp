// `tickd-bench latency`: from the moment a tick is due to the ack that it is committed.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/commands.h"
#include "bench/latency/open_loop.h"
#include "bench/load/bench_server.h"
#include "bench/load/tick_generator.h"
#include "bench/report/report.h"
#include "bench/report/target.h"
#include "daemon/progress_bar.h"
#include "tests/support/daemon_process.h"

namespace bench {

namespace {

// I5 is about this one.
constexpr std::uint64_t target_rate = 10'000;
constexpr double target_p99_seconds = 0.025;

struct latency_arguments {
    std::vector<std::uint64_t> rates{1'000, 10'000, 100'000};
    std::uint32_t seconds = 10, rounds = 3, symbols = 500;
    bool quick = false;
    std::string results = "bench/results";
};

// The rounds of one rate.
struct rate_runs {
    std::uint64_t rate = 0;
    bool segments = true;  // else rows alone
    std::vector<open_loop_result> rounds{};
    std::vector<double> server_seconds_a_tick{};  // on a processor, of each round

    [[nodiscard]] summary quantile(double q) const {
        std::vector<double> seconds;
        for (const open_loop_result& each : rounds) {
            seconds.push_back(static_cast<double>(each.latency.quantile_ns(q)) / 1e9);
        }
        return summarize(seconds);
    }
    // How far behind its times the client itself was at worst.
    [[nodiscard]] summary behind() const {
        std::vector<double> seconds;
        for (const open_loop_result& each : rounds) {
            seconds.push_back(static_cast<double>(each.behind_ns) / 1e9);
        }
        return summarize(seconds);
    }
};

void run_once(bench_server& server, rate_runs& into, const latency_arguments& given) {
    const std::uint64_t rate = into.rate;
    // A second in which connections open, caches fill and the first chunk is made.
    open_loop_plan plan{.address = {}, .lines = {}, .rate = rate, .warm_up = rate};
    tick_generator generator({.symbols = given.symbols});
    plan.lines.resize(rate * (given.seconds + 1));
    for (std::string& line : plan.lines) generator.append_line(line);

    const std::string conninfo = server.tickd_database();
    server.settle();
    tickd::test::daemon_process daemon(
        tickd::test::daemon_yaml(tickd::test::as_user(conninfo, "tickd_ingest"),
                                 into.segments ? std::string_view{} : without_segments));
    if (!daemon.ready()) throw std::runtime_error("tickd is not ready:\n" + daemon.log());
    plan.address = daemon.address();
    const double server_before = server.cpu_seconds();
    into.rounds.push_back(run_open_loop(plan));
    into.server_seconds_a_tick.push_back((server.cpu_seconds() - server_before) /
                                         static_cast<double>(plan.lines.size()));
    if (daemon.stop() != 0) throw std::runtime_error("tickd did not end well:\n" + daemon.log());
    server.drop(conninfo);
}

// What segments and candles cost the server, at the rate that ran with and without them.
void add_cost_of_segments(const std::vector<rate_runs>& all, report& what) {
    const auto without = std::ranges::find(all, false, &rate_runs::segments);
    if (without == all.end()) return;
    const auto with = std::ranges::find(all, without->rate, &rate_runs::rate);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < without->rounds.size(); ++i) {
        ratios.push_back(with->server_seconds_a_tick[i] / without->server_seconds_a_tick[i]);
    }
    const summary ratio = summarize(ratios);
    const summary full = summarize(with->server_seconds_a_tick);
    const summary rows = summarize(without->server_seconds_a_tick);
    text_table table({{"ticks/s"}, {"full schema"}, {"rows alone"}, {"ratio"}, {"least to most"}});
    table.add({tickd::format_count(with->rate), time_text(full.median), time_text(rows.median),
               ratio_text(ratio.median),
               std::format("{} to {}", ratio_text(ratio.least), ratio_text(ratio.most))});
    what.sections.push_back(
        {.heading = "PostgreSQL's processor time a tick",
         .table = std::move(table),
         .notes = {"Of all its processes, the compactor's included. Rows alone: segments.write and "
                   "segments.compact are off."}});
    what.results["server_cpu"] = {{"ticks_per_second", with->rate},
                                  {"full_seconds_a_tick", to_json(full)},
                                  {"rows_seconds_a_tick", to_json(rows)},
                                  {"ratio", to_json(ratio)}};
}

report latency_report(const std::vector<rate_runs>& all) {
    report what{.name = "latency", .title = "From due to acked as committed"};
    text_table table({{"ticks/s"}, {"p50"}, {"p99"}, {"p99.9"}, {"most"}, {"p99, least to most"}});
    target_row target{.label = "I5",
                      .what = "due to committed at 10,000 ticks/s, p99",
                      .unit = target_unit::seconds,
                      .why_not = "not run",
                      .goal = target_p99_seconds,
                      .goal_is_least = false};
    boost::json::array rates;
    for (const rate_runs& each : all) {
        if (!each.segments) continue;
        const summary p99 = each.quantile(0.99);
        table.add({tickd::format_count(each.rate), time_text(each.quantile(0.5).median),
                   time_text(p99.median), time_text(each.quantile(0.999).median),
                   time_text(each.quantile(1).most),
                   std::format("{} to {}", time_text(p99.least), time_text(p99.most))});
        if (each.rate == target_rate) target.measured = p99;
        rates.push_back({{"ticks_per_second", each.rate},
                         {"p50_seconds", to_json(each.quantile(0.5))},
                         {"p99_seconds", to_json(p99)},
                         {"p999_seconds", to_json(each.quantile(0.999))},
                         {"most_seconds", to_json(each.quantile(1))},
                         {"client_behind_seconds", to_json(each.behind())}});
    }
    what.sections.push_back({.heading = "Target", .table = target_table({target})});
    what.sections.push_back(
        {.heading = "Latencies",
         .table = std::move(table),
         .notes = {"Medians of the rounds, but of `most` the worst. Counted from when a tick was "
                   "due, whether or not it could be sent then."}});
    what.results["targets"] = to_json(std::vector{target});
    what.results["rates"] = std::move(rates);
    add_cost_of_segments(all, what);
    return what;
}

void run_latency(latency_arguments given) {
    if (given.quick) {
        given.seconds = std::min(given.seconds, 3U);
        given.rounds = 1;
    }
    bench_server server;
    const facts environment = environment_facts(server.folder());
    std::vector<rate_runs> all;
    for (const std::uint64_t rate : given.rates) all.push_back({.rate = rate});
    if (std::ranges::contains(given.rates, target_rate)) {
        all.push_back({.rate = target_rate, .segments = false});
    }
    tickd::progress_bar bar(STDERR_FILENO, true, "runs");
    const std::uint64_t runs = given.rounds * all.size();
    std::uint64_t done = 0;
    for (std::uint32_t round = 0; round < given.rounds; ++round) {
        for (rate_runs& each : all) {
            bar.set_label(std::format("round {} of {}: {} ticks/s{}", round + 1, given.rounds,
                                      tickd::format_count(each.rate),
                                      each.segments ? "" : ", rows alone"));
            bar.update({.records = done, .done = done, .total = runs});
            run_once(server, each, given);
            ++done;
        }
    }
    bar.finish(std::format("{} runs of {} s", runs, given.seconds));
    report what = latency_report(all);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("symbols", std::to_string(given.symbols));
    what.settings.emplace_back("rounds", std::to_string(given.rounds));
    what.settings.emplace_back("seconds a run", std::to_string(given.seconds));
    print(what);
    for (const auto& path : write_files(what, given.results)) {
        std::fprintf(stderr, "written: %s\n", path.c_str());
    }
}

}  // namespace

void add_latency_command(CLI::App& app, command_context& context) {
    CLI::App* const latency = app.add_subcommand(
        "latency", "Sends at fixed rates and measures from when a tick is due to its ack");
    const auto given = std::make_shared<latency_arguments>();
    latency->add_option("--rate", given->rates, "Ticks a second; may be repeated")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000'000}))
        ->capture_default_str();
    latency->add_option("--seconds", given->seconds, "Length of a run, behind a second of warm-up")
        ->check(CLI::Range(1U, 3600U))
        ->capture_default_str();
    latency->add_option("--rounds", given->rounds, "How often each rate runs")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    latency->add_option("--symbols", given->symbols, "Distinct symbols")
        ->check(CLI::Range(1U, 100'000U))
        ->capture_default_str();
    latency
        ->add_option("--results", given->results,
                     "Folder for the JSON and Markdown files; empty: none")
        ->capture_default_str();
    latency->add_flag("--quick", given->quick, "One round of three seconds");
    latency->callback([&context, given] {
        run_latency(*given);
        context.result = tickd::exit_code::ok;
    });
}

}  // namespace bench
