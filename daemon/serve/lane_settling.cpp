// What comes home to a lane's session thread: blocks that are committed or in the spool, news of
// spooled blocks that were committed later, watermarks. Sessions are told what they asked to hear.
#include <boost/asio/post.hpp>

#include <string>
#include <utility>
#include <vector>

#include "daemon/serve/lane.h"

namespace tickd {

namespace asio = boost::asio;

struct lane::late_receipt {
    struct refused {
        std::uint64_t session_id, seq;
        ingest::verdict reason;
        std::string_view field;  // static storage
    };
    std::string producer;
    std::uint64_t newest_seq = 0;
    std::uint64_t committed = 0, dead_lettered = 0;
    std::vector<refused> rejects;
};

// Blocks come home: their sessions hear of it, then the blocks are free again.
void lane::collect() {
    while (auto done = spooled_home_.try_pop()) {
        settle(*done, home::spooled);
        intake_.recycle(std::move(done));
    }
    while (auto done = to_sessions_.try_pop()) {
        settle(*done, home::committed);
        intake_.recycle(std::move(done));
    }
    changed();
    finish_when_empty();
}

void lane::settle(const ingest::block& done, home how) {
    for (const ingest::dead_letter_row& row : done.dead_letters()) {
        const ingest::origin& from = done.origins()[row.origin];
        if (from.producer == 0 || from.lost) continue;
        const auto found = sessions_.find(from.session_id);
        if (found == sessions_.end()) continue;
        // In the spool it is no dead letter yet for those who want to hear of the database.
        if (how == home::spooled && found->second->acks() == ingest::ack_level::committed) continue;
        found->second->reject(row.seq, row.reason, row.field);
    }
    for (const ingest::origin& from : done.origins()) {
        if (from.producer != 0) settle_origin(done, from, how);
        const auto found = sessions_.find(from.session_id);
        if (found != sessions_.end()) found->second->kept(from.bytes);
    }
}

void lane::settle_origin(const ingest::block& done, const ingest::origin& from, home how) {
    const auto known = feeds_.find(std::string(done.text(from.producer_name)));
    if (known == feeds_.end()) return;
    producer& feed = *known->second;
    --feed.blocks_in_flight;
    std::int64_t oldest_us = 0;
    if (!feed.blocks_oldest_us.empty()) {
        oldest_us = feed.blocks_oldest_us.front();
        feed.blocks_oldest_us.pop_front();
    }
    if (from.lost) {
        feed.show_lag();
        feed.watermark_known = feed.committed_known = false;
        const auto found = sessions_.find(from.session_id);
        if (found != sessions_.end()) {
            found->second->close_with(ingest::session_error::superseded,
                                      "another daemon has taken this producer");
        }
        return;
    }
    feed.kept_seq = std::max(feed.kept_seq, from.newest_seq);
    if (how == home::committed) {
        feed.settled_seq = std::max(feed.settled_seq, from.newest_seq);
        count_settled(feed, from.accepted, from.dead_lettered);
    } else {
        if (feed.spooled_oldest_us == 0) feed.spooled_oldest_us = oldest_us;
        feed.show_lag();
    }
    tell(feed);
}

void lane::count_settled(producer& feed, std::uint64_t committed, std::uint64_t dead_lettered) {
    producer_figures& figures = *feed.counted.figures;
    add(figures.committed, committed);
    add(figures.dead_lettered, dead_lettered);
    if (feed.counted.own) figures.watermark.store(feed.settled_seq, std::memory_order_relaxed);
    if (feed.settled_seq >= feed.kept_seq) feed.spooled_oldest_us = 0;
    feed.show_lag();
}

void lane::tell(const producer& feed) {
    const auto found = sessions_.find(feed.session_id);
    if (found == sessions_.end()) return;
    session& whom = *found->second;
    whom.settled(whom.acks() == ingest::ack_level::spooled ? feed.kept_seq : feed.settled_seq);
}

void lane::settle_late(const std::vector<late_receipt>& receipts) {
    for (const late_receipt& each : receipts) {
        for (const auto& row : each.rejects) {
            const auto found = sessions_.find(row.session_id);
            if (found == sessions_.end()) continue;
            // Others were told when it went into the spool.
            if (found->second->acks() == ingest::ack_level::committed ||
                row.reason == ingest::verdict::refused_by_server) {
                found->second->reject(row.seq, row.reason, row.field);
            }
        }
        const auto known = feeds_.find(each.producer);
        if (known == feeds_.end()) {
            // Nobody feeds it: records of an earlier process.
            producer_figures& figures = *producers_.of(each.producer).figures;
            add(figures.committed, each.committed);
            add(figures.dead_lettered, each.dead_lettered);
            continue;
        }
        producer& feed = *known->second;
        feed.settled_seq = std::max(feed.settled_seq, each.newest_seq);
        feed.kept_seq = std::max(feed.kept_seq, feed.settled_seq);
        count_settled(feed, each.committed, each.dead_lettered);
        tell(feed);
    }
}

// Writer's thread: the block stays there, what it says goes over.
void lane::tell_replayed(const ingest::block& done) {
    std::vector<late_receipt> receipts(done.origins().size());
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        const ingest::origin& from = done.origins()[i];
        receipts[i].producer = done.text(from.producer_name);
        receipts[i].newest_seq = from.lost ? 0 : from.newest_seq;
        receipts[i].committed = from.lost ? 0 : from.accepted;
        receipts[i].dead_lettered = from.lost ? 0 : from.dead_lettered;
    }
    for (const ingest::dead_letter_row& row : done.dead_letters()) {
        const ingest::origin& from = done.origins()[row.origin];
        if (from.producer == 0 || from.lost || from.session_id == 0) continue;
        receipts[row.origin].rejects.push_back({from.session_id, row.seq, row.reason, row.field});
    }
    std::erase_if(receipts, [](const late_receipt& each) { return each.producer.empty(); });
    asio::post(io_, [this, receipts = std::move(receipts)] { settle_late(receipts); });
}

// May come twice, when a session was superseded while it waited, and late: what is known from
// records is newer.
void lane::learn(producer& feed, const ingest::resume_point& from) {
    if (from.committed) {
        feed.settled_seq = std::max(feed.committed_known ? feed.settled_seq : 0, *from.committed);
        feed.committed_known = true;
    }
    if (!feed.watermark_known) {
        feed.kept_seq = feed.newest_seq = from.kept;
        feed.watermark_known = true;
    }
    if (feed.counted.own) {
        feed.counted.figures->watermark.store(feed.settled_seq, std::memory_order_relaxed);
    }
    changed();
}

}  // namespace tickd
