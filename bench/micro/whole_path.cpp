// The whole path on one core, and the one thing that is between its two threads.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/micro/sample_lines.h"
#include "ingest/activity_hash.h"
#include "ingest/batch.h"
#include "ingest/block_ring.h"
#include "ingest/frame_buffer.h"
#include "ingest/limits.h"
#include "ingest/record_parser.h"

namespace bench {

namespace {

// Everything from received bytes to COPY streams: the path into a null database.
void receive_to_copy(benchmark::State& state, sample_lines of, ingest::segments_wanted segments) {
    const std::string& lines = of();
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    ingest::activity_hasher hasher;
    ingest::batch batch;
    std::vector<std::unique_ptr<ingest::block>> spare = blocks_of(lines);
    for (auto _ : state) {
        std::unique_ptr<ingest::block> filling;
        each_frame(lines, frames, [&](const auto& line) {
            if (filling && !filling->has_room()) batch.add(std::exchange(filling, nullptr));
            if (!filling) {
                filling = std::move(spare.back());
                spare.pop_back();
                filling->reset();
                static_cast<void>(filling->add_origin({.session_id = 1}));
            }
            if (parser.parse(line.line, {}, {}, sample_now_us, record).accepted()) {
                filling->keep(record, line.line, sample_now_us, 0);
            }
        });
        if (filling) batch.add(std::move(filling));
        batch.prepare(segments);
        batch.number_events(1, hasher);
        auto stream = batch.tick_stream();
        benchmark::DoNotOptimize(stream);
        spare = batch.release();
    }
    count(state, count_lines(lines), lines.size());
}
BENCHMARK_CAPTURE(receive_to_copy, ticks, tick_lines, ingest::segments_wanted::yes);
BENCHMARK_CAPTURE(receive_to_copy, full_batch, full_batch_lines, ingest::segments_wanted::yes);
BENCHMARK_CAPTURE(receive_to_copy, full_batch_without_segments, full_batch_lines,
                  ingest::segments_wanted::no);
// As many paths at once as lanes on as many cores would be, by the clock: they share nothing, so
// two take in twice as much as one.
BENCHMARK_CAPTURE(receive_to_copy, lanes, full_batch_lines, ingest::segments_wanted::yes)
    ->ThreadRange(1, static_cast<int>(std::max(1U, std::thread::hardware_concurrency())))
    ->UseRealTime();
BENCHMARK_CAPTURE(receive_to_copy, events_hashed, event_lines, ingest::segments_wanted::yes);

void ring(benchmark::State& state) {
    ingest::block_ring ring;
    auto block = std::make_unique<ingest::block>();
    for (auto _ : state) {
        bool pushed = ring.try_push(block);
        benchmark::DoNotOptimize(pushed);
        block = ring.try_pop();
    }
    count(state, 1, 0);
}
BENCHMARK(ring);

}  // namespace

}  // namespace bench
