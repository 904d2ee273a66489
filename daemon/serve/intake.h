// The session thread's half of a lane's data path: lines become records in the block that is being
// filled, and blocks go to the writer.
//
// A block leaves when it is full, or as soon as the writer has nothing to do: at a low rate a
// record waits for nobody, at a high rate blocks and batches grow by themselves.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/serve/counters.h"
#include "daemon/serve/producer_figures.h"
#include "daemon/serve/wake_signal.h"
#include "ingest/block.h"
#include "ingest/block_ring.h"
#include "ingest/frame_buffer.h"
#include "ingest/record_parser.h"

namespace tickd {

// A named feed, as its lane knows it. Session thread only.
struct producer {
    std::string name;               // its key: ingest/producer_key.h
    std::uint32_t number = 0;       // from 1, never used again within the process
    bool watermark_known = false;   // newest_seq may be built upon
    bool committed_known = false;   // and settled_seq is what the database says
    std::uint64_t settled_seq = 0;  // what the database has settled
    std::uint64_t kept_seq = 0;     // what is there or in the spool
    std::uint64_t newest_seq = 0;   // what has been taken in
    std::uint32_t blocks_in_flight = 0;
    std::uint64_t session_id = 0;  // the session that feeds it; 0: none

    producer_registry::entry counted{};
    // When the oldest record of each block in flight was received, in the order of the blocks, and
    // the oldest one that is in the spool and not committed (0: none).
    std::deque<std::int64_t> blocks_oldest_us{};
    std::int64_t spooled_oldest_us = 0;
    void show_lag() const noexcept;
};

// What a session's records are stamped with and held to.
struct record_source {
    std::uint64_t session_id = 0;
    std::string peer, listener;
    std::string default_source;  // empty: none
    bool own_source = false;     // its hello has named it
    bool own_tenant = false;     // its credential has decided the tenant
    ingest::record_rules rules;
    std::shared_ptr<producer> feed;  // null: a plain session

    std::uint64_t block_serial = 0;  // the block that `origin` is an index into
    std::uint16_t origin = 0;
    std::uint64_t bytes_in_flight = 0;  // of lines neither committed nor in the spool
    bool duplicate_seen = false;        // since it was last looked at
};

class intake {
public:
    intake(ingest::block_ring& to_writer, wake_signal& writer, lane_counters& counters,
           lane_timings& timings, std::uint32_t block_count, std::size_t line_bytes_max);

    // Whether a record can be taken now. False: every block is on its way; stop reading.
    [[nodiscard]] bool has_room();
    // One line of a session. Requires has_room(). `now_us`: since 1970.
    void take(record_source& from, const ingest::frame& line, std::int64_t now_us);
    // A line the session could not finish.
    void take_unfinished(record_source& from, const ingest::frame& line, std::int64_t now_us);

    // To be called when there is no more to take just now.
    void offer();
    // Sends what there is, whether the writer asked or not.
    void flush();
    // A settled block comes back.
    void recycle(std::unique_ptr<ingest::block> done);
    // Whether a session waits for a block to come home. Any thread.
    [[nodiscard]] bool starved() const noexcept { return starved_.load(std::memory_order_relaxed); }
    // Whether every block is here: nothing is with the writer or being filled.
    [[nodiscard]] bool all_home() const noexcept {
        return spare_.size() + (filling_ != nullptr && filling_->empty() ? 1U : 0U) == block_count_;
    }

private:
    ingest::origin& origin_in_block(record_source& from);
    void push();
    void count_producers(const ingest::block& full, std::int64_t now_us);

    ingest::block_ring& to_writer_;
    wake_signal& writer_;
    lane_counters& counters_;
    lane_timings& timings_;
    ingest::record_parser parser_;
    ingest::record record_;
    std::vector<std::unique_ptr<ingest::block>> spare_;
    std::unique_ptr<ingest::block> filling_;
    std::vector<producer*> feeds_;  // of each origin in filling_; null: a plain session's
    std::uint64_t filling_serial_ = 0;
    std::uint32_t block_count_;
    std::atomic<bool> starved_{false};
};

}  // namespace tickd
