// From the runs of `tickd-bench query` to its tables.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/query/query_runs.h"
#include "bench/report/report.h"
#include "bench/report/target.h"

namespace bench {

struct dataset_results {
    query_dataset what;
    std::uint64_t rows = 0;
    query_results owner, tenant, loaded;  // idle; idle as a tenant; during full ingest
    cold_results cold;
};

// Q1 to Q7. Of the first table that is there; Q7 compares the largest with the smallest made-up
// one.
[[nodiscard]] std::vector<target_row> query_targets(const std::vector<dataset_results>& all);

// Sections and results; environment and settings are the caller's.
[[nodiscard]] report query_report(const std::vector<dataset_results>& all);

}  // namespace bench
