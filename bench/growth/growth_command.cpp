// `tickd-bench growth`: what becomes of tickd's rate while its tables grow. tickd fills them
// itself, so that all of them are as a long run leaves them: everything in one chunk, whose indexes
// are then as large as any get.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <format>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/commands.h"
#include "bench/load/acked_connection.h"
#include "bench/load/bench_server.h"
#include "bench/load/tick_generator.h"
#include "bench/report/line_chart.h"
#include "bench/report/report.h"
#include "bench/report/target.h"
#include "daemon/progress_bar.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"

namespace bench {

namespace {

constexpr double target_ratio = 0.8;

struct growth_arguments {
    std::vector<std::uint64_t> sizes{1'000'000,  2'000'000,  5'000'000,  10'000'000,
                                     20'000'000, 50'000'000, 100'000'000};
    std::uint64_t load = 500'000;
    std::uint32_t rounds = 3, symbols = 500;
    bool quick = false;
    std::string results = "bench/results";
};

// What was measured at one size.
struct size_runs {
    std::uint64_t size = 0;  // rows before the first round
    std::vector<double> rates{};
};

// Sends what a generator makes, on one connection.
class growing_load {
public:
    growing_load(const std::string& address, std::uint32_t symbols)
        : to_(address, "growth"), generator_({.symbols = symbols}) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return generator_.made(); }

    // A piece at a time, until there are so many rows.
    template <typename Progress>
    void fill(std::uint64_t rows, Progress progress) {
        constexpr std::uint64_t piece_rows = 32'768;
        std::string piece;
        while (generator_.made() < rows) {
            piece.clear();
            const std::uint64_t until = std::min(rows, generator_.made() + piece_rows);
            while (generator_.made() < until) generator_.append_line(piece);
            send(piece);
            progress(to_.acked());
        }
        await_all();
    }

    // That many more, made before the clock starts; gives rows a second.
    [[nodiscard]] double measure(std::uint64_t rows) {
        std::string lines;
        for (std::uint64_t i = 0; i < rows; ++i) generator_.append_line(lines);
        const auto begun = std::chrono::steady_clock::now();
        send(lines);
        await_all();
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
        return static_cast<double>(rows) / passed.count();
    }

private:
    void send(std::string_view left) {
        while (!left.empty()) {
            left.remove_prefix(to_.send_some(left));
            to_.wait(!left.empty(), left.empty() ? 0 : -1);
            to_.receive();
        }
    }

    void await_all() {
        while (to_.acked() < generator_.made()) {
            to_.wait(false);
            to_.receive();
        }
    }

    acked_connection to_;
    tick_generator generator_;
};

std::vector<size_runs> measure(bench_server& server, const growth_arguments& given) {
    const std::string conninfo = server.tickd_database();
    tickd::test::daemon_process daemon(
        tickd::test::daemon_yaml(tickd::test::as_user(conninfo, "tickd_ingest")));
    if (!daemon.ready()) throw std::runtime_error("tickd is not ready:\n" + daemon.log());
    growing_load load(daemon.address(), given.symbols);
    tickd::progress_bar bar(STDERR_FILENO, true, "rows");
    const std::uint64_t total = given.sizes.back() + given.rounds * given.load;
    std::vector<size_runs> all;
    for (const std::uint64_t size : given.sizes) {
        bar.set_label(std::format("filling to {}", short_count(static_cast<double>(size))));
        load.fill(size, [&](std::uint64_t rows) {
            bar.update({.records = rows, .done = rows, .total = total});
        });
        size_runs runs{.size = load.rows()};
        for (std::uint32_t round = 0; round < given.rounds; ++round) {
            server.settle();
            runs.rates.push_back(load.measure(given.load));
        }
        bar.say(std::format(
            "{:>14} rows: {:>9} rows/s", tickd::format_count(runs.size),
            tickd::format_count(static_cast<std::uint64_t>(summarize(runs.rates).median))));
        all.push_back(std::move(runs));
    }
    const std::uint64_t rows = load.rows();
    if (daemon.stop() != 0) throw std::runtime_error("tickd did not end well:\n" + daemon.log());
    tickd::pg_connection sql = tickd::test::connect(conninfo);
    const auto found =
        std::stoull(tickd::test::one(sql, "SELECT count(*) FROM public.price_telemetry"));
    if (found != rows) {
        throw std::runtime_error(std::format("{} rows were acked and {} are there", rows, found));
    }
    bar.finish(std::format("{} rows, all of them there", tickd::format_count(rows)));
    server.drop(conninfo);
    return all;
}

report growth_report(const std::vector<size_runs>& all) {
    report what{.name = "growth", .title = "tickd's rate while its tables grow"};
    text_table table({{"rows in the table"}, {"rows/s"}, {"least to most"}, {"over the first"}});
    const summary first = summarize(all.front().rates);
    boost::json::array sizes;
    for (const size_runs& each : all) {
        const summary rate = summarize(each.rates);
        table.add({tickd::format_count(each.size), value_text(rate.median, target_unit::per_second),
                   std::format("{} to {}", value_text(rate.least, target_unit::per_second),
                               value_text(rate.most, target_unit::per_second)),
                   ratio_text(rate.median / first.median)});
        sizes.push_back({{"rows", each.size}, {"rows_per_second", to_json(rate)}});
    }
    // Each round at the largest size over the median at the smallest.
    std::vector<double> ratios;
    for (const double rate : all.back().rates) ratios.push_back(rate / first.median);
    const target_row target{.label = "I7",
                            .what = std::format("rate at {} rows over rate at {}",
                                                short_count(static_cast<double>(all.back().size)),
                                                short_count(static_cast<double>(all.front().size))),
                            .measured = summarize(ratios),
                            .goal = target_ratio};
    what.sections.push_back({.heading = "Target", .table = target_table({target})});
    what.sections.push_back({.heading = "Rates", .table = std::move(table)});
    what.results["targets"] = to_json(std::vector{target});
    what.results["sizes"] = std::move(sizes);
    return what;
}

void write_chart(const std::vector<size_runs>& all, const std::filesystem::path& path) {
    line_chart chart{.title = "tickd: rows per second while the tables grow",
                     .x_label = "rows in the table before",
                     .y_label = "rows/s",
                     .points = {}};
    for (const size_runs& each : all) {
        const summary rate = summarize(each.rates);
        chart.points.push_back({.x = static_cast<double>(each.size),
                                .y = rate.median,
                                .y_least = rate.least,
                                .y_most = rate.most});
    }
    std::ofstream file(path, std::ios::binary);
    file << to_svg(chart);
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

void run_growth(growth_arguments given) {
    if (given.quick) {
        given.sizes = {100'000, 200'000, 500'000};
        given.load = 100'000;
    }
    std::ranges::sort(given.sizes);
    bench_server server;
    const facts environment = environment_facts(server.folder());
    const std::vector<size_runs> all = measure(server, given);
    report what = growth_report(all);
    what.environment = environment;
    what.settings = server.describe();
    what.settings.emplace_back("symbols", std::to_string(given.symbols));
    what.settings.emplace_back("rounds", std::to_string(given.rounds));
    what.settings.emplace_back("rows a round", tickd::format_count(given.load));
    print(what);
    std::vector<std::filesystem::path> paths = write_files(what, given.results);
    if (paths.empty()) return;
    paths.push_back(std::filesystem::path(paths.front()).replace_extension("svg"));
    write_chart(all, paths.back());
    for (const auto& path : paths) std::fprintf(stderr, "written: %s\n", path.c_str());
}

}  // namespace

void add_growth_command(CLI::App& app, command_context& context) {
    CLI::App* const growth = app.add_subcommand(
        "growth", "Measures the rate again and again while the tables grow; draws the curve");
    const auto given = std::make_shared<growth_arguments>();
    growth->add_option("--rows", given->sizes, "Sizes at which to measure; may be repeated")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000'000'000}))
        ->capture_default_str();
    growth->add_option("--load", given->load, "Rows of a round")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000'000}))
        ->capture_default_str();
    growth->add_option("--rounds", given->rounds, "How often each size is measured")
        ->check(CLI::Range(1U, 1000U))
        ->capture_default_str();
    growth->add_option("--symbols", given->symbols, "Distinct symbols")
        ->check(CLI::Range(1U, 100'000U))
        ->capture_default_str();
    growth
        ->add_option("--results", given->results,
                     "Folder for the JSON, Markdown and SVG files; empty: none")
        ->capture_default_str();
    growth->add_flag("--quick", given->quick, "Up to half a million rows");
    growth->footer("100,000,000 rows need some 35 GB below /tmp.");
    growth->callback([&context, given] {
        run_growth(*given);
        context.result = tickd::exit_code::ok;
    });
}

}  // namespace bench
