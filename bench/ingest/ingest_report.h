// From the runs of `tickd-bench ingest` to its tables.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/ingest/tick_ways.h"
#include "bench/report/report.h"
#include "bench/report/target.h"

namespace bench {

struct workload_runs {
    std::string name, description;
    std::uint64_t rows = 0;
    std::map<tick_way, std::vector<load_run>> runs;  // in each the nth run is of round n
};

// A way that lost, doubled or changed a row in any run is in no comparison.
[[nodiscard]] bool is_ranked(const std::vector<load_run>& runs) noexcept;

// I1, I2, I3 and I6. Of the first of them that is the headline's, else the first workload.
[[nodiscard]] std::vector<target_row> ingest_targets(const std::vector<workload_runs>& all);

// Sections and results; environment and settings are the caller's.
[[nodiscard]] report ingest_report(const std::vector<workload_runs>& all);

}  // namespace bench
