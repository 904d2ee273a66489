// What the micro benchmarks work on. Items are records, bytes are bytes of NDJSON, so
// `items_per_second` compares stages with one another and with what the database takes.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/block.h"
#include "ingest/frame_buffer.h"

namespace bench {

inline constexpr std::int64_t sample_now_us = 1'723'161'254'024'619;  // when the lines begin

// Lines that are made when they are first asked for, and kept: listing benchmarks costs nothing.
using sample_lines = const std::string& (*)();

// 16,384 ticks of 500 symbols in order of time, a tenth of a millisecond apart; every fourth has
// metadata.
[[nodiscard]] const std::string& tick_lines();
// As many as one transaction carries, which no cache holds.
[[nodiscard]] const std::string& full_batch_lines();
// 16,384 decisions of 20 agents.
[[nodiscard]] const std::string& event_lines();

// Hands every line of `lines` to `use`.
template <typename Use>
void each_frame(std::string_view lines, ingest::frame_buffer& frames, Use use) {
    while (!lines.empty()) {
        const auto room = frames.room();
        const std::size_t part = std::min(room.size(), lines.size());
        std::memcpy(room.data(), lines.data(), part);
        frames.received(part);
        lines.remove_prefix(part);
        while (const auto frame = frames.next()) use(*frame);
    }
}

// Blocks of a batch as the session thread would have filled them.
[[nodiscard]] std::vector<std::unique_ptr<ingest::block>> blocks_of(const std::string& lines);
[[nodiscard]] std::size_t count_lines(std::string_view lines);

// Every iteration of `state` was of so many records and bytes.
void count(benchmark::State& state, std::size_t records, std::size_t bytes);

}  // namespace bench
