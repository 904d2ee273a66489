// What the writer does to a batch: put its ticks in order, encode them, hash its events.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/micro/sample_lines.h"
#include "ingest/activity_hash.h"
#include "ingest/batch.h"
#include "ingest/limits.h"
#include "ingest/merkle.h"
#include "ingest/tick_order.h"

namespace bench {

namespace {

void sort(benchmark::State& state, sample_lines of) {
    const std::string& lines = of();
    const auto blocks = blocks_of(lines);
    ingest::tick_order order;
    for (auto _ : state) {
        order.arrange(blocks);
        auto places = order.places();
        benchmark::DoNotOptimize(places);
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK_CAPTURE(sort, ticks, tick_lines);
BENCHMARK_CAPTURE(sort, full_batch, full_batch_lines);

// Of ticks that are in order already.
void encode(benchmark::State& state, sample_lines of) {
    const std::string& lines = of();
    ingest::batch batch;
    for (auto& each : blocks_of(lines)) batch.add(std::move(each));
    batch.prepare();
    ingest::byte_buffer stream;
    for (auto _ : state) {
        stream.clear();
        batch.encode_ticks(0, batch.ticks().size(), stream);
        benchmark::DoNotOptimize(stream.data());
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK_CAPTURE(encode, ticks, tick_lines);
BENCHMARK_CAPTURE(encode, full_batch, full_batch_lines);

void sort_and_encode(benchmark::State& state, sample_lines of) {
    const std::string& lines = of();
    ingest::batch batch;
    for (auto& each : blocks_of(lines)) batch.add(std::move(each));
    ingest::activity_hasher hasher;
    for (auto _ : state) {
        batch.prepare();
        batch.number_events(1, hasher);
        auto stream = batch.tick_stream();
        benchmark::DoNotOptimize(stream);
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK_CAPTURE(sort_and_encode, ticks, tick_lines);
// As much as one transaction carries, which no cache holds.
BENCHMARK_CAPTURE(sort_and_encode, full_batch, full_batch_lines);
BENCHMARK_CAPTURE(sort_and_encode, events_hashed, event_lines);

// What an event costs besides its encoding: its hash, its leaf, and a node of its batch's tree.
void hash_rows(benchmark::State& state) {
    constexpr std::size_t rows = 8'192;
    ingest::activity_hasher hasher;
    ingest::merkle_tree tree;
    const std::string fields(300, 'x');
    for (auto _ : state) {
        tree.clear();
        for (std::size_t i = 0; i < rows; ++i) tree.add(hasher.row_hash(fields), hasher.plain());
        auto root = tree.root(hasher.plain());
        benchmark::DoNotOptimize(root);
    }
    count(state, rows, rows * fields.size());
}
BENCHMARK(hash_rows);

}  // namespace

}  // namespace bench
