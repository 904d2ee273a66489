// What the writer does about a failure: the table of states decided which action, this takes it.
#include <algorithm>
#include <string_view>

#include "ingest/lane_writer.h"

namespace ingest {

namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t second = 1000 * millisecond;

}  // namespace

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
            current_.prepared = false;
            wait(now_us, 2 * millisecond, 200 * millisecond);
            return doing::worked;
        case failure_action::isolate: return isolate(now_us);
        case failure_action::lane_lost:
            lose_link();
            fenced_ = true;
            return doing::fenced;
        case failure_action::producer_lost: return lose_producer(error.subject, now_us);
        case failure_action::reread_spool:
            reread_spool();
            lose_link();
            wait(now_us, 20 * millisecond, 5 * second);
            return doing::worked;
    }
    return doing::worked;
}

lane_writer::doing lane_writer::isolate(std::int64_t now_us) {
    if (current_.rows.empty() || !held_ || doubt_) {
        // A data error without data, or with rows that may be in: treated as a fault.
        lose_link();
        wait(now_us, 200 * millisecond, 10 * second);
        return doing::worked;
    }
    const auto refused = database_.find_refused(current_.rows);
    if (!refused || refused->empty()) {
        // A second data error must not recurse: whatever it was, the batch is whole and waits.
        if (!refused) ports_.failed(failure_action::pause, refused.error());
        lose_link();
        wait(now_us, 200 * millisecond, 10 * second);
        return doing::worked;
    }
    for (const refused_place& row : *refused) {
        if (row.is_event) {
            current_.rows.refuse_event(row.place, row.sqlstate, ports_.unix_now_us());
        } else {
            current_.rows.refuse_tick(row.place, row.sqlstate, ports_.unix_now_us());
        }
    }
    current_.prepared = false;
    return doing::worked;
}

lane_writer::doing lane_writer::lose_producer(const std::string& name, std::int64_t now_us) {
    if (!std::ranges::contains(current_.rows.producers(), std::string_view(name),
                               &producer_share::name)) {
        // With nobody to drop, the same commit would fail again at once.
        lose_link();
        wait(now_us, 200 * millisecond, 10 * second);
        return doing::worked;
    }
    if (!current_.whole) {
        lost_producers_.insert(name);
        next_.rows.drop_producer(name);
        current_.prepared = next_.prepared = false;
        return doing::worked;
    }
    // These rows may have been acked as spooled, and nobody sends them again. What lies above the
    // watermark is in no database yet; of the rest only people can say whether it is there already.
    const auto watermark = database_.watermark(name);
    if (!watermark) return after_failure(watermark.error(), now_us);
    current_.rows.rebase_producer(name, *watermark, ports_.unix_now_us());
    current_.prepared = false;
    wait(now_us, 2 * millisecond, 200 * millisecond);
    return doing::worked;
}

}  // namespace ingest
