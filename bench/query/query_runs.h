// The queries that are measured, and what their runs took.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/query/query_data.h"

namespace bench {

enum class measured_query : std::uint8_t {
    fetch,      // Q1: every column of a million ticks, decoded in the client
    aggregate,  // Q2
    candles,    // Q3
    range,      // Q4: ten thousand rows in plain SQL
    look_up,    // Q5: the latest hundred rows
    latest,     // Q5: the latest price
};
inline constexpr std::array all_queries{measured_query::fetch,   measured_query::aggregate,
                                        measured_query::candles, measured_query::range,
                                        measured_query::look_up, measured_query::latest};

[[nodiscard]] std::string_view label_of(measured_query which) noexcept;  // `Q1`
[[nodiscard]] std::string_view explain(measured_query which) noexcept;
[[nodiscard]] std::string_view plain_way(measured_query which) noexcept;

// In seconds.
struct query_times {
    std::vector<double> seconds;
    // 0 to 1; by the nearest rank. 0 without a run.
    [[nodiscard]] double quantile(double part) const;
};

struct query_results {
    std::vector<query_times> of;  // in the order of all_queries
    std::vector<query_times>
        plain;               // the plain way; empty where it is the same or was not asked for
    std::string difference;  // of what both gave; empty: equal
};

// The server started anew before every query, with nothing of its files in memory.
struct cold_results {
    std::vector<query_times> of;   // in the order of all_queries
    std::uint64_t kept_bytes = 0;  // of the server's files in the kernel's cache, at most
};
[[nodiscard]] cold_results run_cold(bench_server& server, const query_data& data,
                                    std::uint32_t runs, const std::function<void()>& progress);

// Runs each of them `runs` times as whoever `conninfo` names, and the plain ways a fifth as often
// (they take that much longer), each with bounds of its own that hold at least a million ticks.
[[nodiscard]] query_results run_queries(const query_data& data, const std::string& conninfo,
                                        std::uint32_t runs, bool plain_too,
                                        const std::function<void()>& progress);

}  // namespace bench
