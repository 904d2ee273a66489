#include "bench/ingest/tick_workload.h"

#include <algorithm>

#include "tests/support/real_data.h"

namespace bench {

namespace {

namespace fs = std::filesystem;

// Like `tickd send`: the number becomes the first member.
void each_recorded(const tick_workload& of, std::uint64_t rows_max,
                   const std::function<void(std::string_view)>& use) {
    std::uint64_t seq = 0;
    std::string numbered;
    for (const fs::path& path : of.recorded) {
        const std::string text = tickd::test::gunzip(path);
        for (const std::string_view line : tickd::test::lines_of(text)) {
            if (seq == rows_max) return;
            numbered.assign(R"({"seq":)").append(std::to_string(++seq)).append(",");
            numbered.append(line.substr(1)).append("\n");
            use(numbered);
        }
    }
}

std::vector<tick_workload> recorded_workloads() {
    std::vector<tick_workload> all;
    const fs::path fxcm = tickd::test::shared_data("quotes-fxcm-eurusd-2014-05.ndjson.gz");
    if (!fxcm.empty()) {
        all.push_back(
            {.name = "fxcm", .description = "recorded, EURUSD alone", .recorded = {fxcm}});
    }
    tick_workload binance{
        .name = "binance",
        .description = "recorded, 6 symbols, with metadata",
        .recorded = {tickd::test::shared_data("quotes-binance-2024-08.ndjson.gz")}};
    if (binance.recorded.front().empty()) {
        binance.recorded = tickd::test::find_real_files().ticks;
        std::ranges::sort(binance.recorded);
    }
    if (!binance.recorded.empty()) all.push_back(std::move(binance));
    return all;
}

}  // namespace

std::vector<tick_workload> tick_workloads() {
    std::vector<tick_workload> all = recorded_workloads();
    all.push_back({.name = std::string(headline_workload), .description = "500 symbols"});
    all.push_back({.name = "synthetic-500-late",
                   .description = "500 symbols, 5 % late",
                   .mix = {.late_part = 0.05}});
    all.push_back({.name = "synthetic-500-metadata",
                   .description = "500 symbols, with metadata",
                   .mix = {.metadata = true}});
    all.push_back(
        {.name = "synthetic-10000", .description = "10,000 symbols", .mix = {.symbols = 10'000}});
    all.push_back({.name = "synthetic-10000-metadata-late",
                   .description = "10,000 symbols, with metadata, 5 % late",
                   .mix = {.symbols = 10'000, .metadata = true, .late_part = 0.05}});
    return all;
}

void each_line(const tick_workload& of, std::uint64_t rows_max,
               const std::function<void(std::string_view)>& use) {
    if (!of.recorded.empty()) return each_recorded(of, rows_max, use);
    tick_generator generator(of.mix);
    std::string line;
    while (generator.made() < rows_max) {
        line.clear();
        generator.append_line(line);
        use(line);
    }
}

}  // namespace bench
