// Judges the rows of the activity log on several connections at once.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "daemon/verify/log_snapshot.h"
#include "verify/finding.h"
#include "verify/rows_check.h"

namespace tickd {

struct row_reading {
    // In order of first_id, disjoint, and all that lie in the range of ids.
    std::span<const verify::batch_rows> batches;
    std::span<const std::string> tenants;  // of the batches; 16 bytes or none
    std::int64_t first_id = 0, last_id = 0;
    std::optional<std::string> tenant;  // only its rows; 16 bytes or none
    unsigned jobs = 1;
};

struct rows_judged {
    verify::findings found;
    std::uint64_t rows = 0;
};

// Cuts the range into pieces of about equal numbers of rows, which `jobs` threads take in turn,
// each with its own connection to the snapshot. `progress` is called by the calling thread.
[[nodiscard]] std::expected<rows_judged, read_error> judge_rows(
    const row_reading& reading, const log_snapshot& snapshot, const pg_target& target,
    const std::function<void(std::uint64_t rows)>& progress);

}  // namespace tickd
