// From received bytes to checked records: framing, the two costly kinds of field, whole lines.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/sample_lines.h"
#include "ingest/decimal.h"
#include "ingest/frame_buffer.h"
#include "ingest/record_parser.h"
#include "ingest/timestamp.h"

namespace bench {

namespace {

void frame(benchmark::State& state) {
    const std::string& lines = tick_lines();
    ingest::frame_buffer frames;
    for (auto _ : state) {
        each_frame(lines, frames, [](auto line) { benchmark::DoNotOptimize(line.line); });
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK(frame);

void decimal(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            ingest::parse_decimal("61837.63", ingest::excess_digits::reject, ingest::price_limit));
    }
    count(state, 1, 8);
}
BENCHMARK(decimal);

void time(benchmark::State& state) {
    for (auto _ : state) {
        auto time = ingest::parse_rfc3339("2024-08-08T23:54:14.024619Z");
        benchmark::DoNotOptimize(time);
    }
    count(state, 1, 27);
}
BENCHMARK(time);

// Lines that lie framed already.
void parse(benchmark::State& state, sample_lines of) {
    const std::string& lines = of();
    std::string padded = lines;
    padded.append(ingest::line_padding_bytes, ' ');
    std::vector<std::string_view> framed;
    for (std::size_t at = 0; at < lines.size();) {
        const std::size_t end = lines.find('\n', at);
        framed.emplace_back(padded.data() + at, end - at);
        at = end + 1;
    }
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    const ingest::record_rules rules;
    ingest::record record;
    for (auto _ : state) {
        for (const std::string_view line : framed) {
            if (!parser.parse(line, rules, {}, sample_now_us, record).accepted()) {
                state.SkipWithError("a line of the benchmark is refused");
            }
        }
    }
    count(state, framed.size(), lines.size());
}
BENCHMARK_CAPTURE(parse, ticks, tick_lines);
BENCHMARK_CAPTURE(parse, events, event_lines);

void frame_and_parse(benchmark::State& state, sample_lines of) {
    const std::string& lines = of();
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    const ingest::record_rules rules;
    ingest::record record;
    for (auto _ : state) {
        each_frame(lines, frames, [&](const auto& line) {
            if (!parser.parse(line.line, rules, {}, sample_now_us, record).accepted()) {
                state.SkipWithError("a line of the benchmark is refused");
            }
        });
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK_CAPTURE(frame_and_parse, ticks, tick_lines);
BENCHMARK_CAPTURE(frame_and_parse, events, event_lines);

}  // namespace

}  // namespace bench
