// The ways in which the same ticks get into a table.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "bench/ingest/tick_files.h"
#include "bench/load/bench_server.h"

namespace bench {

enum class tick_way : std::uint8_t {
    tickd,        // TCP, acked `committed`, the full schema
    tickd_rows,   // the same without segments and candles: what those cost
    copy_binary,  // psql \copy, order of arrival, the mission's table
    copy_text,
    copy_sorted,  // psql \copy, sorted as tickd sorts, tickd's table
    rsyslog,      // TCP, imptcp, mmjsonparse, ompgsql, the mission's table
};
inline constexpr std::array all_tick_ways{tick_way::tickd,       tick_way::tickd_rows,
                                          tick_way::copy_binary, tick_way::copy_text,
                                          tick_way::copy_sorted, tick_way::rsyslog};

// As on the command line, and for people; static storage.
[[nodiscard]] std::string_view name_of(tick_way way) noexcept;
[[nodiscard]] std::string_view explain(tick_way way) noexcept;

struct load_run {
    std::uint64_t rows = 0;
    double seconds = 0;  // from the first byte sent until the last row is committed
    row_difference difference{};
    std::uint64_t resident_peak_bytes = 0;  // of tickd; 0: not tickd
    double cpu_seconds = 0;                 // of tickd's process; 0: not tickd

    [[nodiscard]] double rows_per_second() const noexcept {
        return static_cast<double>(rows) / seconds;
    }
};

struct load_options {
    std::uint64_t rsyslog_rows = 0;  // it gets the first of them only: it takes minutes for all
};

// Loads into a new database, compares what is in the table with what was loaded, and drops the
// database. `progress` hears how many rows are in. Throws std::runtime_error when the way fails.
[[nodiscard]] load_run load_ticks(tick_way way, bench_server& server, const tick_files& files,
                                  const load_options& options,
                                  const std::function<void(std::uint64_t)>& progress);

}  // namespace bench
