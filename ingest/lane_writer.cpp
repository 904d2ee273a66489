#include "ingest/lane_writer.h"

#include <algorithm>
#include <utility>

namespace ingest {

namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t second = 1000 * millisecond;

}  // namespace

lane_writer::lane_writer(lane_database& database, lane_writer_ports ports, std::uint32_t rows_max,
                         std::uint64_t seed)
    : database_(database), ports_(std::move(ports)), rows_max_(rows_max), jitter_(seed) {}

lane_writer::doing lane_writer::step(std::int64_t now_us) {
    if (fenced_) return doing::fenced;
    if (now_us < retry_at_us_) {
        gather();
        return doing::waiting;
    }
    if (!held_) return take_lane(now_us);
    if (doubt_) return settle_doubt(now_us);
    if (answer_request(now_us)) return doing::worked;
    if (current_.empty()) {
        gather();
        if (next_.empty()) return doing::idle;
        std::swap(current_, next_);
        current_prepared_ = std::exchange(next_prepared_, false);
    }
    if (!current_prepared_) {
        drop_lost_producers();
        current_.prepare();
        current_prepared_ = true;
    }
    return commit(now_us);
}

lane_writer::doing lane_writer::take_lane(std::int64_t now_us) {
    const auto epoch = database_.take_lane();
    if (!epoch) return after_failure(epoch.error(), now_us);
    held_ = true;
    epoch_ = *epoch;
    ++counts_.connects;
    ports_.connected(epoch_);
    return doing::worked;
}

lane_writer::doing lane_writer::settle_doubt(std::int64_t now_us) {
    const auto committed = database_.was_committed(*doubt_);
    if (!committed) return after_failure(committed.error(), now_us);
    doubt_.reset();
    if (*committed) {
        ++counts_.in_doubt_committed;
        settle();
    }
    return doing::worked;
}

bool lane_writer::answer_request(std::int64_t now_us) {
    if (!request_) request_ = ports_.next_request();
    if (!request_) return false;
    const auto watermark = database_.watermark(request_->producer);
    if (!watermark) {
        static_cast<void>(after_failure(watermark.error(), now_us));
        return true;
    }
    lost_producers_.erase(request_->producer);
    request_->answer(*watermark);
    request_.reset();
    return true;
}

lane_writer::doing lane_writer::commit(std::int64_t now_us) {
    const batch_name name{epoch_, next_number_++};
    const commit_result result = database_.commit(current_, name, [this] { gather(); });
    switch (result.outcome) {
        case commit_outcome::committed: settle(); return doing::worked;
        case commit_outcome::in_doubt:
            ++counts_.in_doubt;
            doubt_ = name;
            lose_link();
            wait(now_us, 20 * millisecond, 5 * second);
            ports_.failed(failure_action::reconnect, result.error);
            return doing::worked;
        case commit_outcome::failed: return after_failure(result.error, now_us);
    }
    return doing::worked;
}

lane_writer::doing lane_writer::after_failure(const database_error& error, std::int64_t now_us) {
    const failure_action action = action_for(error.sqlstate);
    ++counts_.failures;
    ports_.failed(action, error);
    switch (action) {
        case failure_action::reconnect:
        case failure_action::next_host:
            lose_link();
            wait(now_us, 20 * millisecond, 5 * second);
            return doing::worked;
        case failure_action::retry:
            wait(now_us, 2 * millisecond, 200 * millisecond);
            return doing::worked;
        case failure_action::pause:
            lose_link();
            wait(now_us, 200 * millisecond, 10 * second);
            return doing::worked;
        case failure_action::stop:
            lose_link();
            wait(now_us, 1 * second, 10 * second);
            return doing::worked;
        case failure_action::renumber:
            current_prepared_ = false;
            wait(now_us, 2 * millisecond, 200 * millisecond);
            return doing::worked;
        case failure_action::isolate: return isolate(now_us);
        case failure_action::lane_lost:
            lose_link();
            fenced_ = true;
            return doing::fenced;
        case failure_action::producer_lost:
            if (!std::ranges::contains(current_.producers(), std::string_view(error.subject),
                                       &producer_share::name)) {
                // With nobody to drop, the same commit would fail again at once.
                lose_link();
                wait(now_us, 200 * millisecond, 10 * second);
                return doing::worked;
            }
            lost_producers_.insert(error.subject);
            current_prepared_ = next_prepared_ = false;
            return doing::worked;
    }
    return doing::worked;
}

lane_writer::doing lane_writer::isolate(std::int64_t now_us) {
    if (current_.empty() || !held_ || doubt_) {
        // A data error without data, or with rows that may be in: treated as a fault.
        lose_link();
        wait(now_us, 200 * millisecond, 10 * second);
        return doing::worked;
    }
    const auto refused = database_.find_refused(current_);
    if (!refused || refused->empty()) {
        // A second data error must not recurse: whatever it was, the batch is whole and waits.
        if (!refused) ports_.failed(failure_action::pause, refused.error());
        lose_link();
        wait(now_us, 200 * millisecond, 10 * second);
        return doing::worked;
    }
    for (const refused_place& row : *refused) {
        if (row.is_event) {
            current_.refuse_event(row.place, row.sqlstate, ports_.unix_now_us());
        } else {
            current_.refuse_tick(row.place, row.sqlstate, ports_.unix_now_us());
        }
    }
    current_prepared_ = false;
    return doing::worked;
}

// Takes what the ring holds, as far as one batch goes; a full batch is prepared at once, so that
// it is ready when the database is.
void lane_writer::gather() {
    while (next_.has_room(rows_max_)) {
        auto taken = ports_.take();
        if (!taken) return;
        next_.add(std::move(taken));
    }
    if (!next_prepared_ && lost_producers_.empty()) {
        next_.prepare();
        next_prepared_ = true;
    }
}

void lane_writer::drop_lost_producers() {
    for (const std::string& producer : lost_producers_) current_.drop_producer(producer);
}

void lane_writer::settle() {
    failures_in_a_row_ = 0;
    ++counts_.batches;
    counts_.ticks += current_.ticks().size();
    counts_.events += current_.events().size();
    counts_.dead_letters += current_.dead_letter_count();
    for (auto& done : current_.release()) ports_.settled(std::move(done));
    current_prepared_ = false;
}

// Doubles with each failure in a row up to the cap; between half and all of that is waited, so
// that many lanes and daemons do not come back in step.
void lane_writer::wait(std::int64_t now_us, std::int64_t base_us, std::int64_t cap_us) {
    const int doublings = std::min(failures_in_a_row_++, 20);
    const std::int64_t whole = std::min(base_us << doublings, cap_us);
    std::uniform_int_distribution<std::int64_t> part(whole / 2, whole);
    retry_at_us_ = now_us + part(jitter_);
}

void lane_writer::lose_link() noexcept {
    held_ = false;
    database_.disconnect();
}

}  // namespace ingest
