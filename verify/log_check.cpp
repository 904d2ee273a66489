#include "verify/log_check.h"

#include <algorithm>
#include <format>
#include <utility>

#include "verify/encoding.h"

namespace verify {

namespace {

// No tenant and the nil UUID are one chain.
const std::string no_tenant(16, '\0');

bool same(const copy_field& field, const digest& value) { return field == bytes_of(value); }

// Which column says something else than the record; empty: none.
std::string_view differing_column(const log_record& record, const copy_tuple& row) {
    if (row.fields[1] != to_string(record.kind)) return "kind";
    if (record.kind != record_kind::batch) {
        const bool empty =
            !row.fields[2] && !row.fields[3] && !row.fields[4] && !row.fields[5] && !row.fields[6];
        return empty ? "" : "tenant_id, tseq, first_id, row_count or root";
    }
    const copy_field tenant = record.tenant ? copy_field(*record.tenant) : copy_field();
    if (row.fields[2] != tenant) return "tenant_id";
    if (int8_of(row.fields[3]) != record.tenant_sequence) return "tseq";
    if (int8_of(row.fields[4]) != record.first_id) return "first_id";
    if (int4_of(row.fields[5]) != record.row_count) return "row_count";
    if (!same(row.fields[6], record.root)) return "root";
    return "";
}

}  // namespace

void log_check::say(finding_class what, std::int64_t record, std::string detail) {
    found_.add({.level = 2, .what = what, .record = record, .detail = std::move(detail)});
}

bool log_check::take(const copy_tuple& row) {
    const auto index = int8_of(row.fields[0]);
    const copy_field& text = row.fields[7];
    if (!index || !text || !row.fields[1]) return false;
    ++records_;
    if (*index < next_) {
        say(finding_class::extra, *index, "a second record of this index");
        return true;
    }
    if (*index > next_) {
        say(finding_class::missing, next_,
            *index - next_ == 1 ? std::string("this record is not there")
                                : std::format("records {}..{} are not there", next_, *index - 1));
        if (!broken_at_) {
            broken_at_ = next_;
            found_.add({.level = 3,
                        .what = finding_class::missing,
                        .record = next_,
                        .detail = "the tree cannot be computed from this record on"});
        }
    }
    next_ = *index + 1;

    const digest entry = sha_.of(*text);
    if (!same(row.fields[8], entry)) {
        say(finding_class::modified, *index, "its entry is not the hash of its text");
    }
    const auto record = parse_record(*text);
    if (!record) {
        say(finding_class::modified, *index, "its text is no record: " + record.error());
        time_us_ = 0;
    } else {
        check_record(*record, row, *index);
        if (record->kind == record_kind::batch) check_chain(*record, *index, entry);
        time_us_ = record->time_us;
    }
    tree_.append(sha_, sha_.leaf(entry));
    note_moment();
    return true;
}

void log_check::check_record(const log_record& record, const copy_tuple& row, std::int64_t index) {
    if (record.index != index) {
        say(finding_class::reordered, index,
            std::format("its text is that of record {}", record.index));
    }
    if (origin_.empty()) origin_ = record.origin;
    if (record.origin != origin_) {
        say(finding_class::modified, index, "its text is of another log, " + record.origin);
    }
    if ((record.kind == record_kind::genesis) != (index == 0)) {
        say(finding_class::modified, index,
            index == 0 ? "the log does not begin with a genesis" : "a second genesis");
    }
    if (record.kind == record_kind::genesis && record.row_format != "ual-row/v1") {
        say(finding_class::modified, index, "its row format is not ual-row/v1");
    }
    if (const std::string_view column = differing_column(record, row); !column.empty()) {
        say(finding_class::modified, index,
            std::format("its column {} is not what its text says", column));
    }
    if (record.kind == record_kind::key) {
        if (record.from_index != index + 1) {
            say(finding_class::modified, index, "its from_index is not the record behind it");
        }
        keys_.push_back({record.from_index, record.new_key});
    }
    if (record.kind == record_kind::batch) {
        check_sources(record, index);
        keep_batch(record, index);
    }
}

// What a producer sent up to a sequence is committed once. The records of one commit, one for each
// tenant, name the same range; ticks count too, so there may be gaps.
void log_check::check_sources(const log_record& record, std::int64_t index) {
    for (const source_range& range : record.sources) {
        const auto [place, added] = sources_.try_emplace(range.name, range);
        if (added) continue;
        const source_range& before = place->second;
        const bool same_commit = range.after == before.after && range.newest == before.newest;
        if (range.after < before.newest && !same_commit) {
            say(finding_class::extra, index,
                std::format("producer {} was committed to {} before, and again from {}", range.name,
                            before.newest, range.after));
        }
        place->second = range;
    }
}

void log_check::check_chain(const log_record& record, std::int64_t index, const digest& entry) {
    chain& link = chains_[record.tenant.value_or(no_tenant)];
    const std::int64_t expected = link.sequence + 1;
    const auto sequence = [&] {
        return std::format("its tseq is {} where {} follows", record.tenant_sequence, expected);
    };
    if (record.tenant_sequence > expected) {
        say(finding_class::missing, index, sequence());
    } else if (record.tenant_sequence < expected) {
        say(finding_class::reordered, index, sequence());
    } else if (record.previous != link.entry) {
        say(finding_class::modified, index,
            "its tprev is not the entry of its tenant's record before");
    }
    link.sequence = record.tenant_sequence;
    link.entry = entry;
}

void log_check::keep_batch(const log_record& record, std::int64_t index) {
    const auto [place, added] = tenant_at_.try_emplace(record.tenant.value_or(std::string()),
                                                       static_cast<std::uint32_t>(tenants_.size()));
    if (added) tenants_.push_back(place->first);
    rows_committed_ += static_cast<std::uint64_t>(record.row_count);
    batches_.push_back({.first_id = record.first_id,
                        .end_id = record.first_id + record.row_count,
                        .record = index,
                        .tenant = place->second,
                        .root = record.root});
}

void log_check::note_moment() {
    const auto size = static_cast<std::uint64_t>(next_);
    while (next_watched_ < watched_.size() && watched_[next_watched_] < size) ++next_watched_;
    if (broken_at_ || next_watched_ == watched_.size() || watched_[next_watched_] != size) return;
    moments_.emplace_hint(moments_.end(), size, tree_moment{tree_.root(sha_), time_us_});
}

const tree_moment* log_check::at(std::uint64_t size) const {
    const auto place = moments_.find(size);
    return place == moments_.end() ? nullptr : &place->second;
}

bool log_check::take_head(const copy_tuple& row) {
    const auto size = int8_of(row.fields[1]);
    const auto subtrees = bytea_array_of(row.fields[2]);
    if (!row.fields[0] || !size || !subtrees || !row.fields[3]) return false;
    const auto tell = [&](finding_class what, std::string detail) {
        found_.add({.level = 3, .what = what, .size = size, .detail = std::move(detail)});
    };
    if (head_seen_) tell(finding_class::extra, "a second head");
    head_seen_ = true;
    if (*row.fields[0] != origin_) tell(finding_class::modified, "the head is of another log");
    if (*size > next_) {
        tell(finding_class::truncated, std::format("the head is ahead of the log's {}", next_));
    } else if (*size < next_) {
        say(finding_class::extra, *size, "behind what the head counts");
    } else if (!broken_at_) {
        if (!same(row.fields[3], tree_.root(sha_))) {
            tell(finding_class::modified, "the head's root is not the records'");
        }
        if (!std::ranges::equal(*subtrees, tree_.subtrees(), {}, {}, bytes_of)) {
            tell(finding_class::modified, "the head's frontier is not the records'");
        }
    }
    return true;
}

bool log_check::take_tenant_head(const copy_tuple& row) {
    const auto sequence = int8_of(row.fields[1]);
    if (!row.fields[0] || !sequence || !row.fields[2]) return false;
    const auto tell = [&](finding_class what, std::string_view detail) {
        found_.add({.level = 2,
                    .what = what,
                    .detail = std::format("the head of tenant {} {}", to_uuid_text(*row.fields[0]),
                                          detail)});
    };
    const auto place = chains_.find(*row.fields[0]);
    if (place == chains_.end()) {
        tell(finding_class::truncated, "counts records, and there are none");
        return true;
    }
    chain& link = place->second;
    link.head_seen = true;
    if (*sequence > link.sequence) {
        tell(finding_class::truncated, "is ahead of its records");
    } else if (*sequence < link.sequence) {
        tell(finding_class::extra, "is behind its records");
    } else if (!same(row.fields[2], link.entry)) {
        tell(finding_class::modified, "is not the hash of its newest record");
    }
    return true;
}

void log_check::finish() {
    if (!head_seen_) {
        found_.add({.level = 3, .what = finding_class::missing, .detail = "there is no head"});
    }
    for (const auto& [tenant, link] : chains_) {
        if (link.head_seen) continue;
        found_.add(
            {.level = 2,
             .what = finding_class::missing,
             .detail = std::format("the head of tenant {} is not there", to_uuid_text(tenant))});
    }
    find_overlaps();
}

// Ids that two records claim are left to the one that begins first; the rest of the other stays.
void log_check::find_overlaps() {
    std::ranges::sort(batches_, {},
                      [](const batch_rows& b) { return std::pair(b.first_id, b.record); });
    std::vector<batch_rows> disjoint;
    disjoint.reserve(batches_.size());
    for (const batch_rows& batch : batches_) {
        if (!disjoint.empty() && batch.first_id < disjoint.back().end_id) {
            found_.add(
                {.level = 2,
                 .what = finding_class::extra,
                 .record = batch.record,
                 .first_id = batch.first_id,
                 .last_id = std::min(batch.end_id, disjoint.back().end_id) - 1,
                 .detail = std::format("these ids are in record {} too", disjoint.back().record)});
        } else {
            disjoint.push_back(batch);
        }
    }
    batches_ = std::move(disjoint);
}

}  // namespace verify
