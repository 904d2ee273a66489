#include "ingest/activity_chain.h"

#include <format>
#include <iterator>
#include <limits>

namespace ingest {

std::string activity_chain::wrong_with_rows(const activity_record& record) {
    const tenant_head& head = tenants_[record.tenant.value_or(uuid{})];
    if (record.tseq != head.tseq + 1) {
        return std::format("has tseq {} after {}", record.tseq, head.tseq);
    }
    if (record.previous != head.last) return "does not name its tenant's record before";
    if (record.first_id < 1 || record.count < 1 ||
        record.first_id > std::numeric_limits<std::int64_t>::max() - record.count) {
        return "has no ids";
    }
    const std::int64_t end = record.first_id + record.count;
    auto next = ids_.lower_bound(record.first_id);
    const bool meets_next = next != ids_.end() && next->first < end;
    const bool meets_before = next != ids_.begin() && std::prev(next)->second > record.first_id;
    if (meets_next || meets_before) return "has ids of another record";
    // Neighbours join, so that the map stays as small as the log has gaps.
    std::int64_t whole_end = end;
    if (next != ids_.end() && next->first == end) {
        whole_end = next->second;
        next = ids_.erase(next);
    }
    if (next != ids_.begin() && std::prev(next)->second == record.first_id) {
        std::prev(next)->second = whole_end;
    } else {
        ids_.emplace(record.first_id, whole_end);
    }
    return {};
}

std::expected<activity_record, std::string> activity_chain::add(std::string_view text) {
    const auto wrong = [this](std::string_view what) {
        return std::unexpected(std::format("record {} {}", size(), what));
    };
    auto record = parse_activity_record(text);
    if (!record) return wrong(record.error());
    if (record->index != size()) return wrong(std::format("calls itself {}", record->index));
    if ((size() == 0) != (record->kind == record_of::genesis)) {
        return wrong(size() == 0 ? "is no genesis" : "is another genesis");
    }
    if (size() == 0) origin_ = record->origin;
    if (record->origin != origin_) return wrong("is of another log: " + record->origin);
    if (record->kind == record_of::key && record->from_index != record->index + 1) {
        return wrong("gives its key another beginning than the next record");
    }
    const sha256_digest entry = hash_.digest(text);
    if (record->kind == record_of::rows) {
        if (const std::string what = wrong_with_rows(*record); !what.empty()) return wrong(what);
        tenant_head& head = tenants_[record->tenant.value_or(uuid{})];
        const sha256_hex hex = to_hex(entry);
        head.tseq = record->tseq;
        head.last.assign(hex.begin(), hex.end());
    }
    tree_.add(entry, hash_);
    return record;
}

}  // namespace ingest
