// Level 2, but for rows that lie outside, and the tree of level 3: every record of the log, in the
// order of its index, and the heads that the database keeps of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/copy_tuples.h"
#include "verify/finding.h"
#include "verify/log_record.h"
#include "verify/merkle_tree.h"
#include "verify/rows_check.h"

namespace verify {

// The columns to select, in this order.
inline constexpr std::string_view record_columns =
    "index, kind, tenant_id, tseq, first_id, row_count, root, record, entry";
inline constexpr std::size_t record_fields = 9;
// Of activity_head.
inline constexpr std::string_view head_columns = "origin, size, frontier, root";
inline constexpr std::size_t head_fields = 4;
// Of activity_tenant_head.
inline constexpr std::string_view tenant_head_columns = "tenant_key, tseq, last_entry";
inline constexpr std::size_t tenant_head_fields = 3;

// What the tree was when it had so many records.
struct tree_moment {
    digest root{};
    std::int64_t time_us = 0;  // of its newest record; 0: could not be read
};

// A key record: whose checkpoints count from behind `from_index` on.
struct key_change {
    std::int64_t from_index = 0;
    std::string vkey;
};

// One thread at a time.
class log_check {
public:
    // `watched`: sizes of which the tree is wanted, ascending.
    explicit log_check(std::vector<std::uint64_t> watched) : watched_(std::move(watched)) {}

    // Records in order of index. False: it is no record's row.
    [[nodiscard]] bool take(const copy_tuple& row);
    // Behind the last record, in this order. False: it is no such row.
    [[nodiscard]] bool take_head(const copy_tuple& row);
    [[nodiscard]] bool take_tenant_head(const copy_tuple& row);
    void finish();

    [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
    [[nodiscard]] std::uint64_t rows_committed() const noexcept { return rows_committed_; }
    // One more than the highest index.
    [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(next_); }
    // The log's name, by the first record that can be read.
    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    // The tree cannot be computed from this size on, because a record is not there.
    [[nodiscard]] bool computable(std::uint64_t size) const noexcept {
        return !broken_at_ || size <= static_cast<std::uint64_t>(*broken_at_);
    }
    // At a watched size. Null: the log is shorter, or a record before it is not there.
    [[nodiscard]] const tree_moment* at(std::uint64_t size) const;
    [[nodiscard]] tree_head head() { return {tree_.size(), tree_.root(sha_)}; }

    // After finish: in order of first_id and disjoint.
    [[nodiscard]] const std::vector<batch_rows>& batches() const noexcept { return batches_; }
    [[nodiscard]] const std::vector<std::string>& tenants() const noexcept { return tenants_; }
    [[nodiscard]] const std::vector<key_change>& key_changes() const noexcept { return keys_; }
    [[nodiscard]] findings& found() noexcept { return found_; }

private:
    struct chain {
        std::int64_t sequence = 0;
        digest entry{};
        bool head_seen = false;
    };

    void say(finding_class what, std::int64_t record, std::string detail);
    void check_record(const log_record& record, const copy_tuple& row, std::int64_t index);
    void check_chain(const log_record& record, std::int64_t index, const digest& entry);
    void check_sources(const log_record& record, std::int64_t index);
    void keep_batch(const log_record& record, std::int64_t index);
    void note_moment();
    void find_overlaps();

    std::vector<std::uint64_t> watched_;
    std::size_t next_watched_ = 0;
    std::map<std::uint64_t, tree_moment> moments_;
    std::int64_t next_ = 0;
    std::optional<std::int64_t> broken_at_;
    std::uint64_t records_ = 0, rows_committed_ = 0;
    std::int64_t time_us_ = 0;
    std::string origin_;
    hasher sha_;
    growing_tree tree_;
    std::map<std::string, chain, std::less<>> chains_;             // by 16 bytes, nil for none
    std::map<std::string, source_range, std::less<>> sources_;     // each producer's newest
    std::map<std::string, std::uint32_t, std::less<>> tenant_at_;  // by 16 bytes or none
    std::vector<std::string> tenants_;
    std::vector<batch_rows> batches_;
    std::vector<key_change> keys_;
    bool head_seen_ = false;
    findings found_;
};

}  // namespace verify
