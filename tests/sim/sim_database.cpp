#include "tests/sim/sim_database.h"

#include <algorithm>
#include <format>

namespace tickd::test {

namespace {

using ingest::database_error;

[[nodiscard]] database_error error_of(std::string_view sqlstate, std::string_view subject = {}) {
    return {.sqlstate = std::string(sqlstate), .message = {}, .subject = std::string(subject)};
}

[[nodiscard]] bool shares_a_producer(const sim_transaction& a, const sim_transaction& b) {
    return std::ranges::any_of(a.shares, [&b](const sim_share& share) {
        return std::ranges::contains(b.shares, share.producer, &sim_share::producer);
    });
}

}  // namespace

std::expected<std::int64_t, database_error> sim_database::take_lane(std::uint32_t lane,
                                                                    std::uint64_t holder,
                                                                    std::int64_t known_epoch) {
    for (std::size_t i = undecided_.size(); i-- != 0;) {
        if (undecided_[i].lane == lane) decide(i);
    }
    lane_row& row = lanes_[lane];
    if (known_epoch != 0 && row.epoch != known_epoch && row.holder != holder) {
        ++counts_.epochs_passed;
        return std::unexpected(error_of("TK001"));
    }
    row = {std::max(row.epoch, known_epoch) + 1, holder};
    return row.epoch;
}

std::optional<database_error> sim_database::refuses(const sim_transaction& asked) {
    for (std::size_t i = undecided_.size(); i-- != 0;) {
        if (shares_a_producer(undecided_[i], asked)) decide(i);
    }
    if (lanes_[asked.lane].epoch != asked.name.epoch) {
        ++counts_.epochs_passed;
        return error_of("TK001");
    }
    for (const known_row& row : asked.rows) {
        if (row.is_poison) return error_of(poison_sqlstate);
        if (row.id != 0 && ids_.contains(row.id)) return error_of("23505");
    }
    if (knows(asked.lane, asked.name)) return error_of("23505");
    if (asked.mark && spools[asked.mark->spool] >= asked.mark->first) {
        ++counts_.spool_reread;
        return error_of("TK003");
    }
    for (const sim_share& share : asked.shares) {
        if (watermark(share.producer) != share.expected_seq) {
            ++counts_.producers_lost;
            // Also what a batch is that was committed before and is sent again.
            if (producers_[share.producer].moved_by == asked.holder) {
                breach(std::format("a process loses {} to itself", share.producer));
            }
            return error_of("TK002", share.producer);
        }
    }
    return std::nullopt;
}

void sim_database::apply(const sim_transaction& committed) {
    if (!committed.gap_of.empty()) {
        breach(std::format("{}: blocks do not follow each other", committed.gap_of));
    }
    ledger_.emplace(committed.lane, committed.name.epoch, committed.name.number);
    if (committed.mark) spools[committed.mark->spool] = committed.mark->last;
    use_ids(committed);
    for (const known_row& row : committed.rows) {
        copies& now = records_[{row.feed, row.seq}];
        if (row.sqlstate == "TK002") {
            // Acked as spooled here, and another daemon has spoken for the producer meanwhile.
            ++now.moved;
            ++counts_.rows_moved;
            continue;
        }
        ++(row.in == known_row::table::dead_letters ? now.dead_letters : now.rows);
        if (now.rows + now.dead_letters != 1) {
            breach(std::format("{} {} is there twice", row.feed, row.seq));
        }
    }
    for (const sim_share& share : committed.shares) {
        // Rows that come too late leave the watermark where somebody else has put it.
        producer_row& known = producers_[share.producer];
        if (known.watermark != share.newest_seq) known = {share.newest_seq, committed.holder};
    }
}

void sim_database::decide(std::size_t index) {
    const sim_transaction decided = std::move(undecided_[index]);
    undecided_.erase(undecided_.begin() + static_cast<std::ptrdiff_t>(index));
    if (random_.coin()) apply(decided);
}

void sim_database::decide_one() {
    if (!undecided_.empty()) decide(static_cast<std::size_t>(random_.below(undecided_.size())));
}

std::uint64_t sim_database::watermark(const std::string& producer) const {
    const auto known = producers_.find(producer);
    return known == producers_.end() ? 0 : known->second.watermark;
}

std::int64_t sim_database::reserve_ids(std::size_t count) {
    return std::exchange(next_id_, next_id_ + static_cast<std::int64_t>(count));
}

void sim_database::use_ids(const sim_transaction& of) {
    for (const known_row& row : of.rows) {
        if (row.id != 0) ids_.insert(row.id);
    }
}

sim_database::copies sim_database::copies_of(const std::string& producer, std::uint64_t seq) const {
    const auto known = records_.find({producer, seq});
    return known == records_.end() ? copies{} : known->second;
}

}  // namespace tickd::test
