// Streams of ticks for tests of segments, and segments as a table would hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ingest/segment_encoder.h"
#include "ingest/tick_columns.h"

namespace tickd::test {

// A tick that owns its texts.
struct stream_tick {
    std::int64_t time_us = 0;
    ingest::int128 bid = 0, ask = 0, mid = 0;
    std::optional<ingest::int128> volume{};
    std::string symbol{};
    std::optional<std::string> source{}, metadata{};

    bool operator==(const stream_tick&) const = default;
    // Views into this.
    [[nodiscard]] ingest::segment_tick view() const;
};
// As a failing test shows it.
[[nodiscard]] std::string describe(const stream_tick& tick);

// In order of time. Each seed gives a stream of another kind: scales, extremes, constant and
// missing columns, sources, symbols, metadata, equal times, several days.
[[nodiscard]] std::vector<stream_tick> random_stream(std::mt19937_64& random, std::size_t ticks);

// What a table would hold of a segment. The header's symbol views `symbol`.
struct stored_segment {
    ingest::segment_header header;
    std::string symbol, data, metadata;
};
[[nodiscard]] stored_segment stored(const ingest::encoded_segment& made);

// Puts all ticks into segments, a new one where the encoder wants it.
[[nodiscard]] std::vector<stored_segment> into_segments(ingest::segment_encoder& encoder,
                                                        const std::vector<stream_tick>& ticks);

// The ticks of all segments, decoded; throws std::runtime_error when one is refused.
[[nodiscard]] ingest::tick_columns decoded(const std::vector<stored_segment>& segments,
                                           bool with_metadata);

// Tick `i` of columns that were decoded with their metadata.
[[nodiscard]] stream_tick tick_of(const ingest::tick_columns& columns, std::size_t i);

// All ticks of a recording in ../shared or of the bundled sample, parsed.
[[nodiscard]] std::vector<stream_tick> recorded_ticks(const std::string& gzipped_path);

}  // namespace tickd::test
