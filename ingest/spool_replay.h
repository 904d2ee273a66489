// Reads blocks back from a lane's spool, a batch at a time, ahead of the writer and in bounded
// memory. Blocks of earlier processes are made to fit into this one: their producers get numbers
// that mean nothing but "the same name", and nobody waits for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/batch.h"
#include "ingest/lane_spool.h"

namespace ingest {

// Blocks in the writer's hands, and which entries of the spool hold the same rows.
struct held_batch {
    batch rows;
    bool prepared = false;
    std::int64_t prepare_us = 0;  // spent on it so far, when it is being prepared in steps
    bool replayed = false;        // read back: its blocks belong to the replay, not to the ring
    bool whole = false;           // every block of it is in the spool, durably
    bool marked = false;          // the last transaction that carried it settled the entries too
    std::int64_t first = 0;       // entries; 0: none of it is in the spool
    std::int64_t last = 0;
    std::uint64_t spooled_rows = 0;  // in those entries

    // Gives its blocks and is as new, but for the memory of its rows: megabytes, which the next
    // batch would have to be given again, page by page.
    [[nodiscard]] std::vector<std::unique_ptr<block>> release() {
        auto blocks = rows.release();
        *this = {.rows = std::move(rows)};
        return blocks;
    }
};

class spool_replay {
public:
    explicit spool_replay(lane_spool& spool) : spool_(spool) {}

    // Reads on, as far as one batch goes.
    void read_ahead(std::uint32_t rows_max);
    // The batch that was read goes to `into`, which must be empty, with the doubt that all its
    // entries share. False: there is none.
    [[nodiscard]] bool take(held_batch& into, std::optional<batch_name>& doubt);
    // Blocks of a batch that is committed.
    void give_back(std::vector<std::unique_ptr<block>> blocks);
    // What was read and is not committed is read again.
    void restart();
    // Passes over entries up to `number`, which are committed, and shows each block; gives the
    // records in them.
    [[nodiscard]] std::uint64_t skip(std::int64_t number,
                                     const std::function<void(const block&)>& show);

    // Entries below were appended by an earlier process.
    void begin_own(std::int64_t number) {
        if (own_ == 0) own_ = number;
    }
    // Entries from here on stay with who holds them in memory.
    void end_before(std::int64_t number) { end_ = number; }

private:
    [[nodiscard]] std::optional<spool_entry> read(std::unique_ptr<block>& into);
    void adapt(block& read, std::int64_t number);

    lane_spool& spool_;
    held_batch ahead_;
    std::optional<batch_name> doubt_;  // of ahead_
    std::size_t ahead_bytes_ = 0;
    std::unique_ptr<block> stash_;  // read, but not of ahead_'s doubt
    spool_entry stash_entry_;
    std::vector<std::unique_ptr<block>> spare_;  // the last one used is the next one used
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::int64_t own_ = 0;
    std::int64_t end_ = 0;
};

// Records that the block keeps, of producers that are not lost.
[[nodiscard]] std::uint64_t records_in(const block& in) noexcept;

}  // namespace ingest
