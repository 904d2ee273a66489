// tickd-bench: what each stage of the data path costs per record on one core, without a database.
//
//     tickd-bench [--benchmark_filter=REGEX] [--benchmark_repetitions=N]
//
// Items are records, bytes are bytes of NDJSON, so `items_per_second` compares stages with one
// another and with what the database takes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/activity_hash.h"
#include "ingest/batch.h"
#include "ingest/block.h"
#include "ingest/block_ring.h"
#include "ingest/decimal.h"
#include "ingest/frame_buffer.h"
#include "ingest/merkle.h"
#include "ingest/record_parser.h"
#include "ingest/timestamp.h"

namespace {

constexpr std::int64_t now_us = 1'723'161'254'024'619;  // 2024-08-08, when the lines below begin
constexpr std::size_t lines_made = 16'384;

// Ticks of 500 symbols in order of time, a tenth of a millisecond apart; every fourth has metadata.
std::string tick_lines(std::size_t made = lines_made) {
    std::string lines;
    for (std::size_t i = 0; i < made; ++i) {
        const auto time = ingest::to_rfc3339(now_us + static_cast<std::int64_t>(i) * 100);
        lines += std::format(
            R"({{"type":"tick","time":"{}","symbol":"SYM{:03}","bid":{}.{:05},"ask":{}.{:05},)"
            R"("source":"bench"{}}})"
            "\n",
            time, i * 7919 % 500, 100 + i % 50, i % 100'000, 100 + i % 50, i % 99'999 + 1,
            i % 4 == 0 ? R"(,"metadata":{"bid_size":3.0292,"ask_size":31.4395})" : "");
    }
    return lines;
}

std::string event_lines() {
    std::string lines;
    for (std::size_t i = 0; i < lines_made; ++i) {
        lines +=
            std::format(R"({{"type":"activity","agent_id":"agent-{}","action_type":"decision",)"
                        R"("action_payload":{{"step":{},"reason":"{}","score":0.{:04}}}}})"
                        "\n",
                        i % 20, i, std::string(120, 'x'), i % 10'000);
    }
    return lines;
}

// Hands every line of `lines` to `use`.
template <typename Use>
void each_line(std::string_view lines, ingest::frame_buffer& frames, Use use) {
    while (!lines.empty()) {
        const auto room = frames.room();
        const std::size_t part = std::min(room.size(), lines.size());
        std::memcpy(room.data(), lines.data(), part);
        frames.received(part);
        lines.remove_prefix(part);
        while (const auto frame = frames.next()) use(*frame);
    }
}

void count(benchmark::State& state, std::size_t records, std::size_t bytes) {
    const auto rounds = static_cast<std::int64_t>(state.iterations());
    state.SetItemsProcessed(rounds * static_cast<std::int64_t>(records));
    state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
}

void frame(benchmark::State& state) {
    const std::string lines = tick_lines();
    ingest::frame_buffer frames;
    for (auto _ : state) {
        each_line(lines, frames, [](auto line) { benchmark::DoNotOptimize(line.line); });
    }
    count(state, lines_made, lines.size());
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

void frame_and_parse(benchmark::State& state, const std::string& lines) {
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    const ingest::record_rules rules;
    ingest::record record;
    for (auto _ : state) {
        each_line(lines, frames, [&](const auto& line) {
            if (!parser.parse(line.line, rules, {}, now_us, record).accepted()) {
                state.SkipWithError("a line of the benchmark is refused");
            }
        });
    }
    count(state, lines_made, lines.size());
}
BENCHMARK_CAPTURE(frame_and_parse, ticks, tick_lines());
BENCHMARK_CAPTURE(frame_and_parse, events, event_lines());

// Blocks of a batch as the session thread would have filled them.
std::vector<std::unique_ptr<ingest::block>> blocks_of(const std::string& lines) {
    std::vector<std::unique_ptr<ingest::block>> blocks;
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    each_line(lines, frames, [&](const auto& line) {
        if (blocks.empty() || !blocks.back()->has_room()) {
            blocks.push_back(std::make_unique<ingest::block>());
            static_cast<void>(blocks.back()->add_origin({.session_id = 1}));
        }
        if (parser.parse(line.line, {}, {}, now_us, record).accepted()) {
            blocks.back()->keep(record, line.line, now_us, 0);
        }
    });
    return blocks;
}

std::size_t lines_of(std::string_view lines) {
    return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

void sort_and_encode(benchmark::State& state, const std::string& lines) {
    ingest::batch batch;
    for (auto& each : blocks_of(lines)) batch.add(std::move(each));
    ingest::activity_hasher hasher;
    for (auto _ : state) {
        batch.prepare();
        batch.number_events(1, hasher);
        auto stream = batch.tick_stream();
        benchmark::DoNotOptimize(stream);
    }
    count(state, lines_of(lines), lines.size());
}
BENCHMARK_CAPTURE(sort_and_encode, ticks, tick_lines());
// As much as one transaction carries, which no cache holds.
BENCHMARK_CAPTURE(sort_and_encode, full_batch, tick_lines(ingest::limits::batch_rows_max));
BENCHMARK_CAPTURE(sort_and_encode, events_hashed, event_lines());

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

// Everything from received bytes to COPY streams: the path into a null database.
void receive_to_copy(benchmark::State& state, const std::string& lines) {
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    ingest::activity_hasher hasher;
    ingest::batch batch;
    std::vector<std::unique_ptr<ingest::block>> spare = blocks_of(lines);
    for (auto _ : state) {
        std::unique_ptr<ingest::block> filling;
        each_line(lines, frames, [&](const auto& line) {
            if (filling && !filling->has_room()) batch.add(std::exchange(filling, nullptr));
            if (!filling) {
                filling = std::move(spare.back());
                spare.pop_back();
                filling->reset();
                static_cast<void>(filling->add_origin({.session_id = 1}));
            }
            if (parser.parse(line.line, {}, {}, now_us, record).accepted()) {
                filling->keep(record, line.line, now_us, 0);
            }
        });
        if (filling) batch.add(std::move(filling));
        batch.prepare();
        batch.number_events(1, hasher);
        auto stream = batch.tick_stream();
        benchmark::DoNotOptimize(stream);
        spare = batch.release();
    }
    count(state, lines_of(lines), lines.size());
}
BENCHMARK_CAPTURE(receive_to_copy, ticks, tick_lines());
BENCHMARK_CAPTURE(receive_to_copy, full_batch, tick_lines(ingest::limits::batch_rows_max));
BENCHMARK_CAPTURE(receive_to_copy, events_hashed, event_lines());

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

BENCHMARK_MAIN();
