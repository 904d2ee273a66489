// Levels 0 and 1, and of level 2 that no row lies outside every batch: rows in order of id against
// the batches that should hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/copy_tuples.h"
#include "verify/finding.h"
#include "verify/merkle_tree.h"

namespace verify {

// What a record says of its rows, kept for every batch: hence small.
struct batch_rows {
    std::int64_t first_id = 0;
    std::int64_t end_id = 0;   // behind its last
    std::int64_t record = 0;   // index in the log
    std::uint32_t tenant = 0;  // place in a table of tenants
    digest root{};
};

// The columns to select, in this order, and how many.
inline constexpr std::string_view row_columns =
    "id, timestamp, agent_id, action_type, action_payload, user_id, session_id, metadata, "
    "created_at, tenant_id, hash_sha256";
inline constexpr std::size_t row_fields = 11;

// One thread at a time.
class rows_check {
public:
    // `batches`: in order of first_id, disjoint. `tenants`: 16 bytes each, or empty for none.
    // Both stay the caller's.
    rows_check(std::span<const batch_rows> batches, std::span<const std::string> tenants);

    // Rows in order of id; `row` has row_columns. False: it is no row of the activity log.
    [[nodiscard]] bool take(const copy_tuple& row);
    // No more rows.
    void finish();

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t batches() const noexcept { return next_; }
    [[nodiscard]] findings& found() noexcept { return found_; }

private:
    // A row whose content does not have the hash that is stored with it.
    struct changed_row {
        std::int64_t id;
        std::string stored;    // hash_sha256
        std::string after_id;  // its fields behind the id
    };
    static constexpr std::size_t changed_max = 64;  // per batch, of which swaps are looked for

    void close_batches_before(std::int64_t id);
    void close_batch();
    void note_missing(std::int64_t first, std::int64_t end);
    void report_changed();
    void take_outside(std::int64_t id);
    [[nodiscard]] const batch_rows* current() const noexcept {
        return next_ < batches_.size() ? &batches_[next_] : nullptr;
    }

    std::span<const batch_rows> batches_;
    std::span<const std::string> tenants_;
    std::size_t next_ = 0;
    hasher sha_;
    findings found_;
    std::uint64_t rows_ = 0;

    growing_tree tree_;          // of the current batch
    std::int64_t expected_ = 0;  // id, in the current batch
    bool has_all_ = true;
    std::vector<changed_row> changed_;
    std::optional<finding> outside_;  // a run of rows in no batch
};

}  // namespace verify
