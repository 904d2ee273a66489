// `tickd verify activity`: reads the log from the database and lets verify/ judge it.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/db/pg_connection.h"
#include "daemon/verify/log_snapshot.h"
#include "verify/checkpoint_check.h"
#include "verify/finding.h"
#include "verify/log_check.h"

namespace tickd {

// A checkpoint from a file, and what findings call it.
struct named_checkpoint {
    std::string name;
    verify::checkpoint note;
};

struct verification_request {
    pg_target target;
    unsigned jobs = 1;
    std::optional<verify::verifier_key> key;  // the pinned one
    std::vector<named_checkpoint> outside;
    // Rows: those of batches from this record on; with ids in this range; of this tenant (16
    // bytes, empty: of none). Records are read from the first one in any case.
    std::uint64_t since_record = 0;
    std::optional<std::pair<std::int64_t, std::int64_t>> ids;
    std::optional<std::string> tenant;
    std::optional<std::int64_t> age_max_us;
    std::int64_t now_us = 0;

    [[nodiscard]] bool whole() const noexcept { return since_record == 0 && !ids && !tenant; }
};

struct verification_report {
    verify::findings found;
    std::array<verify::level_result, verify::level_count> levels;
    std::string origin;
    verify::tree_head head;                // as computed
    std::optional<std::uint64_t> covered;  // size of the newest good checkpoint
    std::uint64_t rows = 0, batches = 0;
};

// Called now and then by the calling thread: rows judged, and how many there should be.
using verification_progress = std::function<void(std::uint64_t rows, std::uint64_t total)>;

// The report, or why it could not be made.
[[nodiscard]] std::expected<verification_report, read_error> verify_activity(
    const verification_request& request, const verification_progress& progress);

}  // namespace tickd
