// `tickd-bench neighbour`: what one tenant's latency suffers when another sends far more than it
// may.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <format>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/commands.h"
#include "bench/latency/open_loop.h"
#include "bench/load/bench_server.h"
#include "bench/load/tick_generator.h"
#include "bench/report/report.h"
#include "bench/report/target.h"
#include "daemon/progress_bar.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

constexpr std::string_view quiet_tenant = "00000000-0000-0000-0000-000000000001";
constexpr std::string_view loud_tenant = "00000000-0000-0000-0000-000000000002";
constexpr double target_ratio = 1.1;
constexpr std::uint64_t times_the_limit = 10;

struct neighbour_arguments {
    std::uint64_t rate = 1'000, limit = 5'000;
    std::uint32_t seconds = 10, rounds = 11;
    std::string results = "bench/results";
};

enum class loudness : std::uint8_t { absent, at_its_limit, far_beyond };
constexpr std::array all_loudness{loudness::absent, loudness::at_its_limit, loudness::far_beyond};

std::string_view explain(loudness of) {
    switch (of) {
        case loudness::absent: return "alone";
        case loudness::at_its_limit: return "beside a neighbour at its limit";
        case loudness::far_beyond: return "beside one at ten times its limit";
    }
    return {};
}

std::vector<std::string> lines_of(std::uint64_t count, std::uint64_t seed) {
    tick_generator generator({.symbols = 500, .seed = seed});
    std::vector<std::string> lines(count);
    for (std::string& line : lines) generator.append_line(line);
    return lines;
}

// Two listeners of two tenants; the second one's is slowed down to the limit.
std::string listeners(std::uint64_t limit) {
    return std::format(
        "  - name: quiet\n    address: 127.0.0.1:0\n    tenant: {}\n"
        "  - name: loud\n    address: 127.0.0.1:0\n    tenant: {}\n    lines_per_second: {}\n",
        quiet_tenant, loud_tenant, limit);
}

// The quiet tenant's p99 in seconds.
double run_once(bench_server& server, loudness neighbour, const neighbour_arguments& given) {
    const std::string conninfo = server.tickd_database();
    {
        tickd::pg_connection sql = tickd::test::connect(conninfo);
        tickd::test::run(sql, std::format("INSERT INTO tenants (tenant_id, name) VALUES"
                                          " ('{}', 'quiet'), ('{}', 'loud')",
                                          quiet_tenant, loud_tenant));
    }
    server.settle();
    tickd::test::daemon_process daemon(tickd::test::daemon_yaml(
        tickd::test::as_user(conninfo, "tickd_ingest"), {}, listeners(given.limit)));
    if (!daemon.ready()) throw std::runtime_error("tickd is not ready:\n" + daemon.log());

    open_loop_plan quiet{.address = daemon.address(0),
                         .producer = "quiet",
                         .lines = lines_of(given.rate * (given.seconds + 1), 1),
                         .rate = given.rate,
                         .warm_up = given.rate};
    std::future<open_loop_result> beside;
    if (neighbour != loudness::absent) {
        // As many as it may send in that time, so that it ends with the other; offered at its limit
        // or ten times as fast.
        const std::uint64_t factor = neighbour == loudness::far_beyond ? times_the_limit : 1;
        open_loop_plan loud{.address = daemon.address(1),
                            .producer = "loud",
                            .lines = lines_of(given.limit * (given.seconds + 1), 2),
                            .rate = given.limit * factor,
                            .warm_up = 0};
        beside = std::async(std::launch::async,
                            [plan = std::move(loud)] { return run_open_loop(plan); });
    }
    const open_loop_result result = run_open_loop(quiet);
    if (beside.valid()) static_cast<void>(beside.get());
    if (daemon.stop() != 0) throw std::runtime_error("tickd did not end well:\n" + daemon.log());
    server.drop(conninfo);
    return static_cast<double>(result.latency.quantile_ns(0.99)) / 1e9;
}

std::vector<double> ratios(const std::vector<double>& of, const std::vector<double>& to) {
    std::vector<double> all;
    for (std::size_t i = 0; i < of.size(); ++i) all.push_back(of[i] / to[i]);
    return all;
}

void run_neighbour(const neighbour_arguments& given) {
    bench_server server;
    const facts environment = environment_facts(server.folder());
    std::array<std::vector<double>, all_loudness.size()> p99;
    tickd::progress_bar bar(STDERR_FILENO, true, "runs");
    const std::uint64_t runs = given.rounds * p99.size();
    std::uint64_t done = 0;
    for (std::uint32_t round = 0; round < given.rounds; ++round) {
        for (std::size_t i = 0; i < p99.size(); ++i) {
            // Each round begins with another, so that none always comes first.
            const std::size_t which = (i + round) % p99.size();
            bar.set_label(std::format("round {} of {}: {}", round + 1, given.rounds,
                                      explain(all_loudness.at(which))));
            bar.update({.records = done, .done = done, .total = runs});
            p99.at(which).push_back(run_once(server, all_loudness.at(which), given));
            ++done;
        }
    }
    bar.finish(std::format("{} runs of {} s", runs, given.seconds));

    report what{.name = "neighbour", .title = "A tenant beside one that sends too much"};
    const target_row target{.label = "L1",
                            .what = "p99 beside a neighbour at ten times its limit, over at it",
                            .measured = summarize(ratios(p99[2], p99[1])),
                            .goal = target_ratio,
                            .goal_is_least = false};
    text_table table({{"the quiet tenant", align::left}, {"p99"}, {"least to most"}});
    boost::json::array cases;
    for (std::size_t i = 0; i < p99.size(); ++i) {
        const summary seconds = summarize(p99.at(i));
        table.add({std::string(explain(all_loudness.at(i))), time_text(seconds.median),
                   std::format("{} to {}", time_text(seconds.least), time_text(seconds.most))});
        cases.push_back(
            {{"neighbour", explain(all_loudness.at(i))}, {"p99_seconds", to_json(seconds)}});
    }
    what.sections.push_back({.heading = "Target", .table = target_table({target})});
    what.sections.push_back(
        {.heading = "From due to acked as committed",
         .table = std::move(table),
         .notes = {std::format("{} ticks/s of the quiet tenant; the other's listener takes {}.",
                               tickd::format_count(given.rate),
                               tickd::format_count(given.limit))}});
    what.results["targets"] = to_json(std::vector{target});
    what.results["cases"] = std::move(cases);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("rounds", std::to_string(given.rounds));
    what.settings.emplace_back("seconds a run", std::to_string(given.seconds));
    print(what);
    for (const auto& path : write_files(what, given.results)) {
        std::fprintf(stderr, "written: %s\n", path.c_str());
    }
}

}  // namespace

void add_neighbour_command(CLI::App& app, command_context& context) {
    CLI::App* const neighbour = app.add_subcommand(
        "neighbour", "What a tenant's latency suffers when another sends far more than it may");
    const auto given = std::make_shared<neighbour_arguments>();
    neighbour->add_option("--rate", given->rate, "Ticks a second of the quiet tenant")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    neighbour->add_option("--limit", given->limit, "Ticks a second that the other may send")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    neighbour
        ->add_option("--seconds", given->seconds, "Length of a run, behind a second of warm-up")
        ->check(CLI::Range(1U, 3600U))
        ->capture_default_str();
    neighbour->add_option("--rounds", given->rounds, "How often each case runs")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    neighbour
        ->add_option("--results", given->results,
                     "Folder for the JSON and Markdown files; empty: none")
        ->capture_default_str();
    neighbour->callback([&context, given] {
        run_neighbour(*given);
        context.result = tickd::exit_code::ok;
    });
}

}  // namespace bench
