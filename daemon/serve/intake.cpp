#include "daemon/serve/intake.h"

#include <cassert>

#include "daemon/clock.h"
#include "ingest/top_level_scan.h"

namespace tickd {

namespace {

[[nodiscard]] ingest::optional_text source_of(const record_source& from) noexcept {
    return from.default_source.empty() ? ingest::optional_text{} : from.default_source;
}

}  // namespace

void producer::show_lag() const noexcept {
    if (!counted.own) return;
    const std::int64_t in_flight = blocks_oldest_us.empty() ? 0 : blocks_oldest_us.front();
    // What is in the spool came first.
    counted.figures->oldest_us.store(spooled_oldest_us != 0 ? spooled_oldest_us : in_flight,
                                     std::memory_order_relaxed);
}

intake::intake(ingest::block_ring& to_writer, wake_signal& writer, lane_counters& counters,
               lane_timings& timings, std::uint32_t block_count, std::size_t line_bytes_max)
    : to_writer_(to_writer),
      writer_(writer),
      counters_(counters),
      timings_(timings),
      parser_(line_bytes_max),
      block_count_(block_count) {
    assert(block_count <= ingest::limits::blocks_per_lane);
    spare_.reserve(block_count);
    for (std::uint32_t i = 0; i < block_count; ++i) {
        spare_.push_back(std::make_unique<ingest::block>());
    }
}

bool intake::has_room() {
    if (filling_ && filling_->has_room() && filling_->has_room_for_origin()) return true;
    if (filling_) push();
    if (spare_.empty()) {
        // A writer that waits for its database has to hear that the ring is full.
        if (!starved_.exchange(true, std::memory_order_relaxed)) writer_.wake();
        return false;
    }
    filling_ = std::move(spare_.back());
    spare_.pop_back();
    ++filling_serial_;
    return true;
}

ingest::origin& intake::origin_in_block(record_source& from) {
    if (from.block_serial != filling_serial_) {
        ingest::origin origin{.session_id = from.session_id,
                              .peer = filling_->keep_text(from.peer),
                              .listener = filling_->keep_text(from.listener),
                              .tenant = filling_->tenant_index_of(from.rules.tenant)};
        if (from.feed) {
            origin.producer = from.feed->number;
            origin.producer_name = filling_->keep_text(from.feed->name);
            origin.expected_seq = origin.newest_seq = from.feed->newest_seq;
            ++from.feed->blocks_in_flight;
        }
        from.origin = filling_->add_origin(origin);
        from.block_serial = filling_serial_;
        // Outlives the block: its blocks in flight keep it in the lane's map.
        feeds_.push_back(from.feed.get());
    }
    return filling_->origin_at(from.origin);
}

void intake::take(record_source& from, const ingest::frame& line, std::int64_t now_us) {
    ingest::origin& origin = origin_in_block(from);
    ++origin.received;
    origin.bytes += line.line.size();
    from.bytes_in_flight += line.line.size();
    ingest::refusal why;
    if (line.too_long) {
        why.reason = ingest::verdict::line_too_long;
        record_.seq = ingest::salvage_seq(line.line);
    } else {
        why = parser_.parse(line.line, from.rules, source_of(from), now_us, record_);
    }
    if (from.feed) {
        producer& feed = *from.feed;
        if (record_.seq == 0) {
            if (why.accepted()) why = {ingest::verdict::missing_field, "seq"};
        } else if (record_.seq <= feed.newest_seq) {
            ++origin.duplicates;
            from.duplicate_seen = true;
            return;
        } else {
            origin.seq_gaps += record_.seq != feed.newest_seq + 1 && feed.newest_seq != 0;
            feed.newest_seq = origin.newest_seq = record_.seq;
        }
    }
    if (why.accepted()) {
        ++origin.accepted;
        filling_->keep(record_, line.line, now_us, from.origin);
    } else {
        ++origin.dead_lettered;
        add(counters_.refused[static_cast<std::size_t>(why.reason)], 1);
        filling_->keep_refused(why, record_.seq, line.line, line.length, now_us, from.origin);
    }
}

void intake::take_unfinished(record_source& from, const ingest::frame& line, std::int64_t now_us) {
    ingest::origin& origin = origin_in_block(from);
    ++origin.received;
    ++origin.dead_lettered;
    add(counters_.refused[static_cast<std::size_t>(ingest::verdict::line_unfinished)], 1);
    filling_->keep_refused({ingest::verdict::line_unfinished, {}}, 0, line.line, line.length,
                           now_us, from.origin);
}

void intake::offer() {
    if (filling_ && !filling_->empty() && writer_.take_hunger()) flush();
}

void intake::flush() {
    if (filling_ && !filling_->empty()) push();
}

void intake::push() {
    std::uint64_t received = 0, accepted = 0, duplicates = 0;
    for (const ingest::origin& from : filling_->origins()) {
        received += from.received;
        accepted += from.accepted;
        duplicates += from.duplicates;
    }
    add(counters_.records_received, received);
    add(counters_.records_accepted, accepted);
    add(counters_.records_duplicate, duplicates);
    add(counters_.blocks_sealed, 1);
    const std::int64_t now_us = unix_now_us();
    filling_->seal(now_us);
    if (filling_->oldest_us() != 0) timings_.seal.record(now_us - filling_->oldest_us());
    count_producers(*filling_, now_us);
    const bool pushed = to_writer_.try_push(filling_);
    assert(pushed);  // The ring holds as many blocks as the pool.
    static_cast<void>(pushed);
    writer_.wake();
}

void intake::count_producers(const ingest::block& full, std::int64_t now_us) {
    const auto origins = full.origins();
    for (std::size_t i = 0; i < origins.size(); ++i) {
        producer* const feed = feeds_[i];
        if (feed == nullptr) continue;
        producer_figures& figures = *feed->counted.figures;
        add(figures.received, origins[i].received);
        add(figures.duplicates, origins[i].duplicates);
        add(figures.seq_gaps, origins[i].seq_gaps);
        feed->blocks_oldest_us.push_back(full.oldest_us() != 0 ? full.oldest_us() : now_us);
        feed->show_lag();
    }
    feeds_.clear();
}

void intake::recycle(std::unique_ptr<ingest::block> done) {
    done->reset();
    spare_.push_back(std::move(done));
    starved_.store(false, std::memory_order_relaxed);
}

}  // namespace tickd
