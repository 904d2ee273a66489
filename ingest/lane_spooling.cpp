#include "ingest/lane_spooling.h"

#include <algorithm>

namespace ingest {

namespace {

// Full or broken: somebody may make room.
constexpr std::int64_t full_pause_us = 1'000'000;

}  // namespace

lane_spooling::lane_spooling(lane_spool* spool) : spool_(spool) {
    if (spool_ != nullptr) replay_.emplace(*spool_);
}

bool lane_spooling::due(const spooling_situation& is) const {
    if (!on() || broken_ || is.now_us < full_until_us_) return false;
    const bool slow = is.commit_began_us != 0 && is.now_us - is.commit_began_us >= patience_us;
    if (is.stopping && (is.away || slow || backlog())) return true;
    if (is.away) {
        return backlog() || is.starved || is.now_us - is.away_since_us >= patience_us;
    }
    if (is.starved && slow) return true;
    return backlog() && budget_ > 0;
}

std::int64_t lane_spooling::due_at_us(const spooling_situation& is) const {
    if (!on() || broken_ || !is.away) return 0;
    return std::max(full_until_us_, is.away_since_us + patience_us);
}

std::size_t lane_spooling::put(held_batch& from, std::optional<batch_name> doubt, bool keep,
                               const spooling_situation& is) {
    const auto blocks = from.rows.blocks();
    std::size_t in = 0;
    std::int64_t first = 0, last = 0;
    std::uint64_t records = 0, bytes = 0;
    for (const auto& each : blocks) {
        const auto number = spool_->append(*each, doubt);
        if (!number) {
            full_until_us_ = is.now_us + full_pause_us;
            break;
        }
        if (in++ == 0) first = *number;
        last = *number;
        records += records_in(*each);
        bytes += each->byte_count();
    }
    if (in == 0) return 0;
    replay_->begin_own(first);
    const bool durable = spool_->sync();
    if (!durable) {
        // They may be on the disk or not: memory keeps them, and a commit settles both.
        broken_ = true;
        replay_->end_before(first);
    }
    counts_.blocks += in;
    counts_.records += records;
    counts_.bytes += bytes;
    if (!is.away && !is.stopping) budget_ -= static_cast<std::int64_t>(in);
    from.whole = durable && in == blocks.size();
    if (keep || !durable) {
        from.first = first;
        from.last = last;
        from.spooled_rows = records;
    }
    return durable ? in : 0;
}

void lane_spooling::committed(const held_batch& done) {
    if (done.last == 0) return;
    done_ = std::max(done_, done.last);
    if (done.marked) told_ = done_;
    spool_->committed(done.last);
    counts_.left += done.spooled_rows;
    if (done.replayed) {
        budget_ +=
            std::max<std::int64_t>(1, static_cast<std::int64_t>(done.rows.blocks().size()) / 2);
    }
    if (spool_->empty()) budget_ = 0;
    full_until_us_ = 0;
}

void lane_spooling::answered(std::int64_t committed,
                             const std::function<void(const block&)>& show) {
    asked_ = true;
    if (committed > done_) {
        const std::uint64_t passed = replay_->skip(committed, show);
        counts_.left += passed;
        counts_.passed += passed;
    }
    done_ = std::max(done_, committed);
    told_ = std::max(told_, committed);
}

}  // namespace ingest
