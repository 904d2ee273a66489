// What is loaded: recorded ticks or made-up ones, under a name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/tick_generator.h"

namespace bench {

struct tick_workload {
    std::string name;                               // on the command line: `synthetic-500`
    std::string description;                        // `500 symbols`
    std::vector<std::filesystem::path> recorded{};  // gzipped NDJSON; empty: made up from `mix`
    tick_mix mix{};
};

// All that can be loaded here: recordings that lie beside the checkout or, failing those, the
// bundled sample; then the made-up ones. The first made-up one is what targets are held against.
[[nodiscard]] std::vector<tick_workload> tick_workloads();
inline constexpr std::string_view headline_workload = "synthetic-500";

// Hands out at most `rows_max` lines with their newline, numbered from 1 in `seq`. Throws
// std::runtime_error when a recording cannot be read.
void each_line(const tick_workload& of, std::uint64_t rows_max,
               const std::function<void(std::string_view)>& use);

}  // namespace bench
