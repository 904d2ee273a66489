#include "ingest/spool_replay.h"

#include <utility>

namespace ingest {

namespace {

[[nodiscard]] bool same(const std::optional<batch_name>& a, const std::optional<batch_name>& b) {
    if (!a || !b) return !a && !b;
    return a->epoch == b->epoch && a->number == b->number;
}

}  // namespace

std::uint64_t records_in(const block& in) noexcept {
    std::uint64_t records = 0;
    for (const origin& from : in.origins()) {
        if (!from.lost) records += std::uint64_t{from.accepted} + from.dead_lettered;
    }
    return records;
}

std::optional<spool_entry> spool_replay::read(std::unique_ptr<block>& into) {
    if (stash_) {
        into = std::move(stash_);
        return stash_entry_;
    }
    if (spool_.empty()) return std::nullopt;
    if (spare_.empty()) {
        into = std::make_unique<block>();
    } else {
        into = std::move(spare_.back());
        spare_.pop_back();
    }
    const auto entry = spool_.read(*into);
    if (entry && (end_ == 0 || entry->number < end_)) {
        adapt(*into, entry->number);
        return entry;
    }
    spare_.push_back(std::move(into));
    return std::nullopt;
}

// Numbers of producers and sessions begin anew with each process.
void spool_replay::adapt(block& read, std::int64_t number) {
    const bool own = own_ != 0 && number >= own_;
    for (std::uint16_t i = 0; i < read.origins().size(); ++i) {
        origin& from = read.origin_at(i);
        if (!own) from.session_id = 0;
        if (from.producer == 0) continue;
        const auto next = static_cast<std::uint32_t>(numbers_.size() + 1);
        from.producer =
            numbers_.emplace(std::string(read.text(from.producer_name)), next).first->second;
    }
}

void spool_replay::read_ahead(std::uint32_t rows_max) {
    batch& rows = ahead_.rows;
    while (rows.row_count() < rows_max && ahead_bytes_ < limits::replay_bytes_max &&
           rows.blocks().size() < limits::replay_blocks_max) {
        std::unique_ptr<block> next;
        const auto entry = read(next);
        if (!entry) return;
        if (rows.empty()) {
            ahead_.first = entry->number;
            doubt_ = entry->doubt;
        } else if (!same(doubt_, entry->doubt)) {
            stash_ = std::move(next);
            stash_entry_ = *entry;
            break;
        }
        ahead_.last = entry->number;
        ahead_.spooled_rows += records_in(*next);
        ahead_bytes_ += next->byte_count();
        rows.add(std::move(next));
        ahead_.prepared = false;
    }
    // A full batch is ready when the database is; a smaller one may still grow.
    if (ahead_.prepared) return;
    rows.prepare();
    ahead_.prepared = true;
}

bool spool_replay::take(held_batch& into, std::optional<batch_name>& doubt) {
    if (ahead_.rows.empty()) return false;
    into.replayed = into.whole = true;
    into.prepared = ahead_.prepared;
    into.marked = false;
    into.first = std::exchange(ahead_.first, 0);
    into.last = std::exchange(ahead_.last, 0);
    into.spooled_rows = std::exchange(ahead_.spooled_rows, 0);
    std::swap(into.rows, ahead_.rows);
    ahead_.prepared = false;
    ahead_bytes_ = 0;
    doubt = std::exchange(doubt_, std::nullopt);
    return true;
}

void spool_replay::give_back(std::vector<std::unique_ptr<block>> blocks) {
    for (auto& each : blocks) {
        each->reset();
        spare_.push_back(std::move(each));
    }
    if (spool_.empty() && !stash_ && ahead_.rows.empty()) {
        // Nothing is left to replay: the memory goes, and so do the names.
        spare_.clear();
        numbers_.clear();
    }
}

void spool_replay::restart() {
    if (stash_) spare_.push_back(std::move(stash_));
    for (auto& each : ahead_.rows.release()) spare_.push_back(std::move(each));
    ahead_ = {};
    ahead_bytes_ = 0;
    doubt_.reset();
    spool_.rewind();
}

std::uint64_t spool_replay::skip(std::int64_t number,
                                 const std::function<void(const block&)>& show) {
    std::uint64_t rows = 0;
    block passed;
    spool_.rewind();
    while (const auto entry = spool_.read(passed)) {
        if (entry->number > number) break;
        rows += records_in(passed);
        adapt(passed, entry->number);
        show(passed);
    }
    spool_.committed(number);
    restart();
    return rows;
}

}  // namespace ingest
