// A lane's writer on a table of its own: a scripted database, a ring, a clock that jumps to where
// the writer wants to go on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/lane_writer.h"
#include "tests/support/fake_lane_database.h"

namespace tickd::test {

class writer_bench {
public:
    // `spool`: null for none.
    explicit writer_bench(std::uint64_t seed = 1, std::uint32_t rows_max = 1000,
                          ingest::lane_spool* spool = nullptr);
    writer_bench(const writer_bench&) = delete;
    writer_bench& operator=(const writer_bench&) = delete;

    // Puts a block of `rows` ticks of the producer "feed-a" into the ring, numbered on from the
    // last; `symbol` is the first tick's.
    void push(std::uint64_t rows = 2, std::string_view symbol = "EURUSD");
    // One of a plain session.
    void push_plain(std::uint64_t seq);
    // Asks for feed-a's watermark; the answer goes to `answers`.
    void ask_watermark();

    // Steps until the writer is idle or fenced, jumping over its waits. Fails the test when that
    // takes more than `steps_max`.
    ingest::lane_writer::doing run(int steps_max = 200);
    ingest::lane_writer::doing step() { return writer.step(now_us); }

    // The seqs of committed rows, sorted; a row written twice is there twice.
    [[nodiscard]] std::vector<std::uint64_t> kept_seqs(known_row::table in) const;
    // Of committed ticks and dead letters together.
    [[nodiscard]] std::vector<std::uint64_t> kept_seqs() const;
    // Whether the blocks that came back are the first ones pushed, in their order, each once.
    [[nodiscard]] bool settled_in_order() const;

    fake_lane_database database;
    std::deque<std::unique_ptr<ingest::block>> ring;
    std::vector<std::unique_ptr<ingest::block>> settled;
    std::vector<std::unique_ptr<ingest::block>> spooled;  // went home as such
    std::vector<std::uint64_t> replayed;                  // newest_seq of feed-a in each, 0: none
    bool starved = false, stopping = false;
    bool wants_committed = true;
    std::deque<std::string> requests;
    std::vector<std::uint64_t> answers;
    std::vector<std::pair<ingest::failure_action, std::string>> failures;  // with its state
    std::vector<std::int64_t> waits_us;
    std::int64_t now_us = 1'000'000;
    std::uint64_t newest_seq = 0;
    std::uint64_t blocks_pushed = 0;
    ingest::lane_writer writer;

private:
    [[nodiscard]] ingest::lane_writer_ports ports();
};

[[nodiscard]] ingest::database_error error_of(std::string_view sqlstate);

// Every row pushed is kept once, every block is home, in order, and nothing was asked of a lane
// that was not held. Fails the test otherwise.
void check_all_delivered(const writer_bench& on);

}  // namespace tickd::test
