// What packing ticks into segments costs the writer, and unpacking them a reader, on one core.
// The ticks are made to be like EURUSD's: five decimals, milliseconds, one or two a second, spreads
// of a few points; and, for mixed segments, of 200 symbols.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <format>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ingest/segment_decoder.h"
#include "ingest/segment_encoder.h"

namespace {

constexpr std::size_t ticks_made = 1'000'000;

struct made_ticks {
    std::vector<std::string> symbols;
    std::vector<ingest::segment_tick> ticks;
};

made_ticks make_ticks(std::size_t symbols, bool with_volume) {
    // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): the same ticks on every machine
    std::mt19937_64 random(7);
    made_ticks made;
    for (std::size_t i = 0; i < symbols; ++i) made.symbols.push_back(std::format("SYM{:03}", i));
    std::vector<std::int64_t> points(symbols, 138'000);
    std::int64_t time_us = 1'398'902'400'000'000;
    for (std::size_t i = 0; i < ticks_made; ++i) {
        const std::size_t of = random() % symbols;
        time_us += static_cast<std::int64_t>(random() % 1400) * 1000;
        points[of] += static_cast<std::int64_t>(random() % 11) - 5;
        const ingest::int128 bid = ingest::int128{points[of]} * 1000;
        const ingest::int128 ask = bid + ingest::int128{random() % 20} * 1000;
        made.ticks.push_back({.time_us = time_us,
                              .bid = bid,
                              .ask = ask,
                              .mid = ingest::mid_of(bid, ask),
                              .volume = std::nullopt,
                              .symbol = made.symbols[of],
                              .source = "bench",
                              .metadata = {}});
        if (with_volume) made.ticks.back().volume = ingest::int128{random() % 50'000} * 10'000;
    }
    return made;
}

struct packed {
    std::vector<std::string> segments;
    std::size_t bytes = 0;
};

packed pack(const made_ticks& from) {
    ingest::segment_encoder encoder;
    packed all;
    const auto keep = [&] {
        all.segments.emplace_back(encoder.finish().data);
        all.bytes += all.segments.back().size();
    };
    for (const auto& tick : from.ticks) {
        if (encoder.add(tick)) continue;
        keep();
        benchmark::DoNotOptimize(encoder.add(tick));
    }
    keep();
    return all;
}

void describe(benchmark::State& state, const packed& of) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(ticks_made));
    state.counters["bytes_per_tick"] =
        static_cast<double>(of.bytes) / static_cast<double>(ticks_made);
    state.counters["segments"] = static_cast<double>(of.segments.size());
}

void segment_encode(benchmark::State& state, std::size_t symbols, bool with_volume) {
    const made_ticks made = make_ticks(symbols, with_volume);
    ingest::segment_encoder encoder;
    for (auto _ : state) {
        for (const auto& tick : made.ticks) {
            if (encoder.add(tick)) continue;
            benchmark::DoNotOptimize(encoder.finish());
            benchmark::DoNotOptimize(encoder.add(tick));
        }
        benchmark::DoNotOptimize(encoder.finish());
    }
    describe(state, pack(made));
}
BENCHMARK_CAPTURE(segment_encode, one_symbol, 1, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(segment_encode, with_volume, 1, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(segment_encode, mixed, 200, false)->Unit(benchmark::kMillisecond);

// All of them into columns that were used before, as a client that asks again does.
void segment_decode(benchmark::State& state, std::size_t symbols, bool with_volume) {
    const packed all = pack(make_ticks(symbols, with_volume));
    ingest::segment_decoder decoder;
    ingest::tick_columns columns;
    for (auto _ : state) {
        columns.clear();
        for (const auto& each : all.segments) {
            if (!decoder.append(each, {}, columns)) state.SkipWithError("a segment is refused");
        }
        benchmark::DoNotOptimize(columns.mid.narrow.data());
    }
    if (columns.size() != ticks_made) state.SkipWithError("ticks are missing");
    describe(state, all);
}
BENCHMARK_CAPTURE(segment_decode, one_symbol, 1, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(segment_decode, with_volume, 1, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(segment_decode, mixed, 200, false)->Unit(benchmark::kMillisecond);

}  // namespace
