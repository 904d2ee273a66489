// A workload made ready: its lines, and the same ticks in the files that `psql \copy` loads. Made
// with tickd's own parser and encoder, so that all ways carry the same rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "bench/ingest/row_check.h"
#include "bench/ingest/tick_workload.h"

namespace bench {

struct tick_files {
    std::uint64_t rows = 0;
    std::filesystem::path lines;    // NDJSON with `seq`, in order of arrival
    std::filesystem::path arrival;  // COPY BINARY of the mission's eight columns, in that order
    std::filesystem::path text;     // the same for COPY's text format
    // COPY BINARY of tickd's nine columns, sorted as tickd sorts, a full batch after another.
    std::filesystem::path sorted;
    row_hashes expected;  // of the mission's columns, in order of arrival
};

// Writes them into `folder`. `progress` hears how many rows are made. Throws std::runtime_error,
// also when tickd would refuse a line.
[[nodiscard]] tick_files make_tick_files(const tick_workload& of, std::uint64_t rows_max,
                                         const std::filesystem::path& folder,
                                         const std::function<void(std::uint64_t)>& progress);

// The columns of both, for COPY and SELECT.
inline constexpr std::string_view mission_columns =
    "time, symbol, bid, ask, mid, volume, source, metadata";

}  // namespace bench
