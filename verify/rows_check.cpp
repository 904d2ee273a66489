#include "verify/rows_check.h"

#include <algorithm>
#include <format>
#include <utility>

#include "verify/encoding.h"

namespace verify {

rows_check::rows_check(std::span<const batch_rows> batches, std::span<const std::string> tenants)
    : batches_(batches), tenants_(tenants) {
    if (!batches_.empty()) expected_ = batches_.front().first_id;
}

bool rows_check::take(const copy_tuple& row) {
    const auto id = int8_of(row.fields[0]);
    const copy_field& stored = row.fields[row_fields - 1];
    if (!id || !stored) return false;
    ++rows_;
    close_batches_before(*id);
    const digest hash = sha_.row(row.bytes.substr(0, row.starts[row_fields - 1]));
    const bool hash_is_right = is_hex_of(*stored, hash);

    const batch_rows* const batch = current();
    const bool inside = batch != nullptr && *id >= batch->first_id;
    if (!inside || *id < expected_) {
        take_outside(*id);
        if (!hash_is_right) {
            found_.add({.level = 0,
                        .what = finding_class::modified,
                        .first_id = id,
                        .last_id = id,
                        .detail = "its content does not have its hash_sha256"});
        }
        return true;
    }
    if (*id > expected_) note_missing(expected_, *id);
    expected_ = *id + 1;
    if (!hash_is_right) {
        changed_.push_back({*id, std::string(*stored),
                            std::string(row.bytes.substr(
                                row.starts[1], row.starts[row_fields - 1] - row.starts[1]))});
        if (changed_.size() == changed_max) report_changed();
    }
    if (row.fields[9].value_or(std::string_view{}) != tenants_[batch->tenant]) {
        found_.add({.level = 1,
                    .what = finding_class::modified,
                    .record = batch->record,
                    .first_id = id,
                    .last_id = id,
                    .detail = "its tenant is not its batch's"});
    }
    tree_.append(sha_, sha_.leaf(hash));
    return true;
}

void rows_check::finish() {
    while (current() != nullptr) close_batch();
    if (outside_) found_.add(*std::exchange(outside_, std::nullopt));
}

void rows_check::close_batches_before(std::int64_t id) {
    while (current() != nullptr && id >= current()->end_id) close_batch();
}

void rows_check::close_batch() {
    const batch_rows& batch = batches_[next_];
    if (expected_ < batch.end_id) note_missing(expected_, batch.end_id);
    if (has_all_ && tree_.root(sha_) != batch.root) {
        std::string detail = "its rows do not have the root that was committed";
        if (changed_.empty()) detail += ", although each has its hash_sha256";
        found_.add({.level = 1,
                    .what = finding_class::modified,
                    .record = batch.record,
                    .first_id = batch.first_id,
                    .last_id = batch.end_id - 1,
                    .detail = std::move(detail)});
    }
    report_changed();
    tree_.clear();
    has_all_ = true;
    ++next_;
    if (current() != nullptr) expected_ = current()->first_id;
}

void rows_check::note_missing(std::int64_t first, std::int64_t end) {
    const batch_rows& batch = batches_[next_];
    const bool whole = first == batch.first_id && end == batch.end_id;
    found_.add({.level = 1,
                .what = finding_class::missing,
                .record = batch.record,
                .first_id = first,
                .last_id = end - 1,
                .detail = whole ? "no row of this batch is there" : "committed and not there"});
    has_all_ = false;
}

// A row that carries the hash of another id was moved: with that id its content is what it was.
void rows_check::report_changed() {
    const std::int64_t record = current() != nullptr ? current()->record : 0;
    for (const changed_row& row : changed_) {
        finding found{.level = 0,
                      .what = finding_class::modified,
                      .record = record,
                      .first_id = row.id,
                      .last_id = row.id,
                      .detail = "its content does not have its hash_sha256"};
        for (const changed_row& other : changed_) {
            if (other.id == row.id) continue;
            std::string fields("\0\0\0\x08", 4);
            for (int shift = 56; shift >= 0; shift -= 8) {
                fields += static_cast<char>(static_cast<std::uint64_t>(other.id) >> shift & 255U);
            }
            fields += row.after_id;
            if (is_hex_of(row.stored, sha_.row(fields))) {
                found.what = finding_class::reordered;
                found.detail = std::format("it was committed as row {}", other.id);
            }
        }
        found_.add(std::move(found));
    }
    changed_.clear();
}

void rows_check::take_outside(std::int64_t id) {
    if (outside_ && *outside_->last_id + 1 == id) {
        outside_->last_id = id;
        return;
    }
    if (outside_) found_.add(*std::move(outside_));
    outside_ = finding{.level = 2,
                       .what = finding_class::extra,
                       .first_id = id,
                       .last_id = id,
                       .detail = "in no activity batch"};
}

}  // namespace verify
