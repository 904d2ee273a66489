// The writer's dealings with its spool: what goes there and in which order.
#include <algorithm>
#include <utility>

#include "ingest/lane_writer.h"

namespace ingest {

spooling_situation lane_writer::situation() const {
    const std::int64_t now_us = ports_.monotonic_us();
    return {.now_us = now_us,
            .away = under_way_ ? false : !held_ || now_us < retry_at_us_,
            .away_since_us = away_since_us_,
            .commit_began_us = commit_began_us_,
            .starved = ports_.starved(),
            .stopping = ports_.stopping()};
}

std::int64_t lane_writer::wake_at_us() const {
    if (!spooling_.on()) return retry_at_us_;
    const std::int64_t due = spooling_.due_at_us(situation());
    return due > ports_.monotonic_us() ? std::min(due, retry_at_us_) : retry_at_us_;
}

// In order of arrival: the batch that is with the database or waits for it, the one being
// gathered, the ring. A batch goes in whole or stays in front of the spool in memory.
void lane_writer::spill() {
    const spooling_situation is = situation();
    if (!current_.rows.empty() && !current_.replayed && current_.first == 0) {
        if (!current_.prepared) drop_lost_producers(current_);
        static_cast<void>(spooling_.put(current_, under_way_ ? under_way_ : doubt_, true, is));
        if (!current_.whole) return;
        if (!under_way_) hand_over_current();
    }
    if (!current_.rows.empty() && !current_.whole) return;
    // Blocks that go home come again: as many as the lane has are enough for once.
    for (std::size_t taken = 0; taken < limits::blocks_per_lane;) {
        while (next_.rows.has_room(rows_max_)) {
            auto next = ports_.take();
            if (!next) break;
            next_.rows.add(std::move(next));
        }
        next_.prepared = false;
        if (next_.rows.empty() || next_.first != 0) return;
        drop_lost_producers(next_);
        const std::size_t in = spooling_.put(next_, std::nullopt, false, is);
        if (in == 0) return;
        taken += in;
        auto blocks = next_.rows.release();
        next_.whole = false;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            if (i < in) {
                ports_.spooled(std::move(blocks[i]));
            } else {
                next_.rows.add(std::move(blocks[i]));
            }
        }
        if (!next_.rows.empty()) return;
    }
}

// current_ is in the spool: it is read back from there, doubt and all, when its time comes.
void lane_writer::hand_over_current() {
    for (auto& each : current_.release()) ports_.spooled(std::move(each));
    doubt_.reset();
}

void lane_writer::rescue() {
    if (!spooling_.on()) return;
    under_way_.reset();
    held_ = false;
    spill();
}

// Somebody has committed what this batch holds: a copy of the spool's folder was replayed.
void lane_writer::reread_spool() {
    spooling_.ask_again();
    if (current_.replayed) {
        spooling_.replay().give_back(current_.release());
        spooling_.replay().restart();
    } else {
        current_.first = current_.last = 0;
    }
}

}  // namespace ingest
