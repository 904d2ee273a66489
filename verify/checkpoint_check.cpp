#include "verify/checkpoint_check.h"

#include <algorithm>
#include <format>
#include <utility>

namespace verify {

checkpoint_check::checkpoint_check(const log_check& log, std::optional<verifier_key> pinned)
    : log_(log) {
    if (!pinned) return;
    const std::string pinned_text = to_text(*pinned);
    key_term term{.key = std::move(*pinned)};
    hasher sha;
    const auto& changes = log.key_changes();
    // A pinned key that the log hands over to begins there; any other one signs from the start.
    auto next = std::ranges::find(changes, pinned_text, &key_change::vkey);
    if (next == changes.end()) {
        next = changes.begin();
    } else {
        term.after = static_cast<std::uint64_t>(next->from_index);
        ++next;
    }
    terms_.push_back(std::move(term));
    for (; next != changes.end(); ++next) {
        // A successor that is no key leaves a term whose signature nothing can have.
        auto key = parse_verifier_key(sha, next->vkey);
        terms_.push_back({.key = key.value_or(verifier_key{}),
                          .after = static_cast<std::uint64_t>(next->from_index)});
    }
}

std::expected<const checkpoint_check::key_term*, std::string> checkpoint_check::term_of(
    std::uint64_t size) const {
    const key_term* term = nullptr;
    for (const key_term& each : terms_) {
        if (size <= each.after && &each != &terms_.front()) break;
        if (&each != &terms_.front() && !handed_over_.contains(each.after)) {
            return std::unexpected(std::format(
                "no checkpoint of size {} by the key before hands over to its key", each.after));
        }
        term = &each;
    }
    return term;
}

checkpoint_check::standing checkpoint_check::judge(const checkpoint& note,
                                                   const std::string& where) {
    if (terms_.empty()) return standing::good;
    if (note.head.size <= terms_.front().after && note.head.size != 0) {
        ++not_judged_;
        return standing::not_judged;
    }
    ++signatures_;
    const auto refuse = [&](std::string why) {
        found_.add({.level = 4,
                    .what = finding_class::bad_signature,
                    .size = static_cast<std::int64_t>(note.head.size),
                    .detail = where + std::move(why)});
        return standing::bad;
    };
    const auto term = term_of(note.head.size);
    if (!term) return refuse(term.error());
    switch (check_signature(note.note, (*term)->key)) {
        case signature_state::good: return standing::good;
        case signature_state::bad: return refuse("its key did not make this signature");
        case signature_state::unknown: break;
    }
    return refuse("it is not signed by the key of its size, " + to_text((*term)->key));
}

// The checkpoint that ends in a key record, signed by the key before, makes the next key count.
void checkpoint_check::vouch(const checkpoint& note, standing signature) {
    const tree_moment* const moment = log_.at(note.head.size);
    if (signature == standing::bad || moment == nullptr || moment->root != note.head.root) return;
    if (signature == standing::good) {
        handed_over_.insert(note.head.size);
        covered_ = std::max(covered_.value_or(0), note.head.size);
    }
}

void checkpoint_check::take_outside(std::string where, const checkpoint& kept) {
    const standing signature = judge(kept, where + ": ");
    vouch(kept, signature);
    outside_.push_back({std::move(where), kept, signature});
}

void checkpoint_check::take_stored(std::int64_t size_column, std::string_view text) {
    const auto note = parse_checkpoint(text);
    if (!note) {
        found_.add({.level = 4,
                    .what = finding_class::bad_signature,
                    .size = size_column,
                    .detail = note.error()});
        return;
    }
    const auto tell = [&](finding_class what, std::string detail) {
        found_.add({.level = 3, .what = what, .size = size_column, .detail = std::move(detail)});
    };
    if (static_cast<std::int64_t>(note->head.size) != size_column) {
        tell(finding_class::modified,
             std::format("the checkpoint kept there is of size {}", note->head.size));
    }
    if (note->origin != log_.origin()) {
        tell(finding_class::modified, "the checkpoint is of another log, " + note->origin);
    }
    ++roots_;
    const tree_moment* const moment = log_.at(note->head.size);
    if (note->head.size > log_.size()) {
        tell(finding_class::truncated,
             std::format("the log ends at {}, before this checkpoint", log_.size()));
    } else if (moment != nullptr && moment->root != note->head.root) {
        tell(finding_class::modified, "the records do not have the checkpoint's root");
    }
    vouch(*note, judge(*note, ""));
}

void checkpoint_check::compare_outside(const kept_outside& kept) {
    if (kept.signature == standing::bad) return;
    const auto tell = [&](finding_class what, std::string detail) {
        found_.add({.level = 5,
                    .what = what,
                    .size = static_cast<std::int64_t>(kept.note.head.size),
                    .detail = kept.where + ": " + std::move(detail)});
    };
    const tree_head& head = kept.note.head;
    const tree_moment* const moment = log_.at(head.size);
    if (kept.note.origin != log_.origin()) {
        tell(finding_class::forked, "it is of another log, " + kept.note.origin);
    } else if (head.size > log_.size()) {
        tell(finding_class::truncated, std::format("the log ends at {}", log_.size()));
    } else if (!log_.computable(head.size)) {
        tell(finding_class::missing, "a record before it is not there");
    } else if (moment != nullptr && moment->root != head.root) {
        // Signed on both sides: somebody with the key leads two histories.
        const bool forked = !terms_.empty() && covered_.value_or(0) >= head.size;
        tell(forked ? finding_class::forked : finding_class::modified,
             forked ? "the database's checkpoints carry the same key and tell another history"
                    : "the records up to it were rewritten");
    }
}

void checkpoint_check::finish(std::int64_t now_us, std::optional<std::int64_t> age_max_us) {
    for (const kept_outside& kept : outside_) compare_outside(kept);
    if (!age_max_us) return;
    const tree_moment* const newest = covered_ ? log_.at(*covered_) : nullptr;
    finding stale{.level = 6, .what = finding_class::stale};
    if (newest == nullptr || newest->time_us == 0) {
        stale.detail = "no checkpoint of the log is good";
        found_.add(std::move(stale));
    } else if (now_us - newest->time_us > *age_max_us) {
        stale.size = static_cast<std::int64_t>(*covered_);
        stale.detail = std::format("the newest signed record is {} s old",
                                   (now_us - newest->time_us) / 1'000'000);
        found_.add(std::move(stale));
    }
}

}  // namespace verify
