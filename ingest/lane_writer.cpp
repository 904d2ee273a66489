#include "ingest/lane_writer.h"

#include <algorithm>
#include <utility>

namespace ingest {

namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t second = 1000 * millisecond;

}  // namespace

lane_writer::lane_writer(lane_database& database, lane_writer_ports ports, std::uint32_t rows_max,
                         std::uint64_t seed, lane_spool* spool)
    : database_(database),
      ports_(std::move(ports)),
      rows_max_(rows_max),
      jitter_(seed),
      spooling_(spool) {}

lane_writer::doing lane_writer::step(std::int64_t now_us) {
    if (fenced_) return doing::fenced;
    if (!held_ && current_.whole && !current_.replayed) hand_over_current();
    if (now_us < retry_at_us_) {
        gather();
        if (spooling_.on()) answer_from_spool();
        return doing::waiting;
    }
    if (!held_) return take_lane(now_us);
    if (spooling_.must_ask()) return ask_of_spool(now_us);
    if (spooling_.must_tell()) return tell_of_spool(now_us);
    if (doubt_) return settle_doubt(now_us);
    if (answer_request(now_us)) return doing::worked;
    if (current_.rows.empty()) {
        if (!begin_batch()) return idle(now_us);
        if (doubt_) return doing::worked;
    }
    if (!current_.prepared) prepare(current_);
    return commit(now_us);
}

// A link that broke while nothing was sent is taken up again before somebody needs it.
lane_writer::doing lane_writer::idle(std::int64_t now_us) {
    if (database_.alive()) return doing::idle;
    return after_failure({{}, "the connection broke", {}}, now_us);
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
        if (!current_.prepared) prepare(current_);
        settle();
    }
    return doing::worked;
}

lane_writer::doing lane_writer::ask_of_spool(std::int64_t now_us) {
    const auto committed = database_.spool_committed(spooling_.spool().name());
    if (!committed) return after_failure(committed.error(), now_us);
    spooling_.answered(*committed, ports_.replayed);
    return doing::worked;
}

lane_writer::doing lane_writer::tell_of_spool(std::int64_t now_us) {
    const auto told = database_.pass_spool(spooling_.spool().name(), spooling_.done());
    if (!told) return after_failure(told.error(), now_us);
    spooling_.told();
    return doing::worked;
}

bool lane_writer::answer_request(std::int64_t now_us) {
    if (requests_.empty()) {
        auto next = ports_.next_request();
        if (!next) return false;
        requests_.push_back(std::move(*next));
    }
    watermark_request& asked = requests_.front();
    const auto watermark = database_.watermark(asked.producer);
    if (!watermark) {
        static_cast<void>(after_failure(watermark.error(), now_us));
        return true;
    }
    lost_producers_.erase(asked.producer);
    const std::uint64_t spooled = spooling_.on() ? spooling_.spool().newest_seq(asked.producer) : 0;
    asked.answer({.committed = *watermark, .kept = std::max(*watermark, spooled)});
    requests_.pop_front();
    return true;
}

// A producer with records in the spool may go on behind them though the database is away.
void lane_writer::answer_from_spool() {
    while (auto next = ports_.next_request()) requests_.push_back(std::move(*next));
    std::erase_if(requests_, [this](const watermark_request& asked) {
        if (asked.wants_committed || lost_producers_.contains(asked.producer)) return false;
        const std::uint64_t spooled = spooling_.spool().newest_seq(asked.producer);
        if (spooled != 0) asked.answer({.committed = std::nullopt, .kept = spooled});
        return spooled != 0;
    });
}

// The next batch in order of arrival becomes current_. False: there is none.
bool lane_writer::begin_batch() {
    gather();
    if (spooling_.backlog()) {
        spooling_.replay().read_ahead(rows_max_);
        if (spooling_.replay().take(current_, doubt_)) return true;
    }
    if (next_.rows.empty()) return false;
    std::swap(current_, next_);
    return true;
}

void lane_writer::prepare(held_batch& which) {
    while (prepare_some(which, limits::batch_rows_max)) {
    }
}

// True: there is more to do.
bool lane_writer::prepare_some(held_batch& which, std::size_t ticks_max) {
    if (!which.rows.preparing()) {
        if (!which.whole) drop_lost_producers(which);
        which.prepare_us = 0;
    }
    const std::int64_t began_us = ports_.took ? ports_.monotonic_us() : 0;
    which.prepared = !which.rows.prepare_some(ticks_max, segments_);
    if (!ports_.took) return !which.prepared;
    which.prepare_us += ports_.monotonic_us() - began_us;
    if (!which.prepared) return true;
    if (!which.rows.empty()) {
        ports_.took(writer_stage::prepare, which.prepare_us, which.rows.row_count());
    }
    return false;
}

lane_writer::doing lane_writer::commit(std::int64_t now_us) {
    const batch_name name{epoch_, next_number_++};
    std::optional<spool_mark> mark;
    if (current_.last != 0) mark = {spooling_.spool().name(), current_.first, current_.last};
    current_.marked = mark.has_value();
    under_way_ = name;
    commit_began_us_ = now_us;
    const std::int64_t began_us = ports_.took ? ports_.monotonic_us() : 0;
    const commit_result result =
        database_.commit(current_.rows, name, mark, [this] { return gather(); });
    under_way_.reset();
    commit_began_us_ = 0;
    switch (result.outcome) {
        case commit_outcome::committed:
            if (ports_.took) {
                ports_.took(writer_stage::commit, ports_.monotonic_us() - began_us,
                            current_.rows.row_count());
            }
            settle();
            return doing::worked;
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

// Takes what waits, as far as one batch goes; a full batch is prepared, so that it is ready when
// the database is: a little at a time, because the database wants to be fed between. True: there is
// more to prepare.
bool lane_writer::gather() {
    if (spooling_.on() && spooling_.due(situation())) spill();
    if (spooling_.backlog() && (current_.rows.empty() || current_.replayed)) {
        spooling_.replay().read_ahead(rows_max_);
    }
    return fill_next();
}

bool lane_writer::fill_next() {
    while (next_.rows.has_room(rows_max_)) {
        auto taken = ports_.take();
        if (!taken) return false;
        next_.prepared = false;
        next_.rows.add(std::move(taken));
    }
    if (next_.prepared || !lost_producers_.empty() || spooling_.backlog()) return false;
    return prepare_some(next_, limits::prepare_step_ticks);
}

void lane_writer::drop_lost_producers(held_batch& from) {
    for (const std::string& producer : lost_producers_) from.rows.drop_producer(producer);
}

void lane_writer::settle() {
    failures_in_a_row_ = 0;
    batch& rows = current_.rows;
    ++counts_.batches;
    counts_.ticks += rows.ticks().size();
    counts_.events += rows.events().size();
    counts_.dead_letters += rows.dead_letter_count();
    spooling_.committed(current_);
    if (current_.replayed) {
        for (const auto& done : rows.blocks()) ports_.replayed(*done);
        spooling_.replay().give_back(current_.release());
    } else {
        for (auto& done : current_.release()) ports_.settled(std::move(done));
    }
}

// Doubles with each failure in a row up to the cap; between half and all of that is waited, so
// that many lanes and daemons do not come back in step.
void lane_writer::wait(std::int64_t now_us, std::int64_t base_us, std::int64_t cap_us) {
    if (failures_in_a_row_ == 0) away_since_us_ = now_us;
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
