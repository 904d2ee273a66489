// `tickd-bench micro`: Google Benchmark, with its own options, and the target that it measures.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/commands.h"
#include "bench/report/report.h"
#include "bench/report/target.h"

namespace bench {

namespace {

// As many ticks as one transaction carries, from bytes to its COPY stream.
constexpr std::string_view target_benchmark = "receive_to_copy/full_batch";
constexpr double target_per_second = 2'000'000;

// Prints as Google Benchmark does, and keeps the figures.
class keeping_reporter : public benchmark::ConsoleReporter {
public:
    keeping_reporter() : ConsoleReporter(::isatty(STDOUT_FILENO) != 0 ? OO_Color : OO_None) {}

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.skipped != 0) continue;
            const auto found = run.counters.find("items_per_second");
            if (found == run.counters.end()) continue;
            const std::string name = run.benchmark_name();
            auto kept = std::ranges::find(all_, name, &figures::name);
            if (kept == all_.end()) kept = all_.insert(all_.end(), {.name = name});
            kept->per_second.push_back(found->second.value);
        }
        ConsoleReporter::ReportRuns(runs);
    }

    [[nodiscard]] report results() const {
        report what{.name = "micro", .title = "What each stage costs on one core"};
        target_row target{.label = "I4",
                          .what = "received to COPY stream, a core, no database: ticks",
                          .unit = target_unit::per_second,
                          .why_not = "not run",
                          .goal = target_per_second};
        text_table table({{"stage", align::left}, {"a record"}, {"records/s"}, {"least to most"}});
        boost::json::array stages;
        for (const figures& each : all_) {
            const summary rate = summarize(each.per_second);
            if (each.name == target_benchmark) target.measured = rate;
            table.add({each.name, time_text(1 / rate.median),
                       value_text(rate.median, target_unit::per_second),
                       value_text(rate.least, target_unit::per_second) + " to " +
                           value_text(rate.most, target_unit::per_second)});
            stages.push_back({{"name", each.name}, {"records_per_second", to_json(rate)}});
        }
        what.sections.push_back({.heading = "Target", .table = target_table({target})});
        what.sections.push_back({.heading = "Stages",
                                 .table = std::move(table),
                                 .notes = {"Processor time of one core; medians of repetitions."}});
        what.results["targets"] = to_json(std::vector{target});
        what.results["stages"] = std::move(stages);
        what.environment = environment_facts({});
        return what;
    }

private:
    struct figures {
        std::string name;
        std::vector<double> per_second{};
    };
    std::vector<figures> all_;  // in the order in which they ran
};

// True for an option by which the caller wants Google Benchmark's own output alone.
bool wants_its_output(std::string_view word) {
    return word.starts_with("--benchmark_format") || word.starts_with("--benchmark_list_tests");
}

}  // namespace

void add_micro_command(CLI::App& app, command_context& context) {
    CLI::App* const micro = app.add_subcommand(
        "micro", "What each stage of the data path costs a record on one core, without a database");
    const auto results = std::make_shared<std::string>();
    micro->add_option("--results", *results, "Folder for JSON and Markdown files; default: none");
    // Whatever follows is for Google Benchmark.
    micro->prefix_command();
    micro->footer(
        "Takes Google Benchmark's options behind its own: --benchmark_filter=REGEX,\n"
        "--benchmark_repetitions=N, --benchmark_format=json, --benchmark_list_tests and so on.");
    micro->callback([&context, micro, results] {
        std::vector<std::string> words = micro->remaining();
        const bool plain = std::ranges::any_of(words, wants_its_output);
        words.insert(words.begin(), "tickd-bench micro");
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        int argc = static_cast<int>(words.size());
        benchmark::Initialize(&argc, argv.data());
        if (benchmark::ReportUnrecognizedArguments(argc, argv.data())) {
            context.result = tickd::exit_code::usage;
            return;
        }
        if (plain) {
            benchmark::RunSpecifiedBenchmarks();
        } else {
            keeping_reporter reporter;
            benchmark::RunSpecifiedBenchmarks(&reporter);
            const report what = reporter.results();
            print(what);
            if (!results->empty()) {
                for (const auto& path : write_files(what, *results)) {
                    std::fprintf(stderr, "written: %s\n", path.c_str());
                }
            }
        }
        benchmark::Shutdown();
    });
}

}  // namespace bench
