// When a lane's blocks go to its spool, and how they get in. With a null spool, never.
//
// The database is given half a second to come back before a disk is troubled, unless the session
// thread has no block left to read into. While the spool is read back it takes in half of what it
// gives out, so that it runs dry however fast the senders are.
#pragma once

#include <cstdint>
#include <optional>

#include "ingest/spool_replay.h"

namespace ingest {

struct spooling_situation {
    std::int64_t now_us = 0;           // monotonic, as all of these
    bool away = false;                 // the database cannot be used now
    std::int64_t away_since_us = 0;    // first of the failures in a row
    std::int64_t commit_began_us = 0;  // 0: no transaction is under way
    bool starved = false;              // no block is left to read into
    bool stopping = false;             // what is in memory must not stay there
};

struct lane_spool_counts {
    std::uint64_t blocks = 0, records = 0, bytes = 0;  // put in
    std::uint64_t left = 0;                            // records that were taken out: committed
    std::uint64_t passed = 0;  // of those, found committed already when the database was asked
};

class lane_spooling {
public:
    static constexpr std::int64_t patience_us = 500'000;

    explicit lane_spooling(lane_spool* spool);

    [[nodiscard]] bool on() const noexcept { return spool_ != nullptr; }
    // Blocks wait in it: whatever comes now is behind them.
    [[nodiscard]] bool backlog() const noexcept { return on() && !spool_->empty(); }
    [[nodiscard]] lane_spool& spool() noexcept { return *spool_; }
    [[nodiscard]] spool_replay& replay() noexcept { return *replay_; }
    [[nodiscard]] bool due(const spooling_situation& is) const;
    // When a writer that waits has to look again though nothing came; 0: it need not.
    [[nodiscard]] std::int64_t due_at_us(const spooling_situation& is) const;

    // Appends the batch's blocks and syncs them. How many are in the spool for good; the entries
    // are noted in the batch when that is not all or `keep`.
    [[nodiscard]] std::size_t put(held_batch& from, std::optional<batch_name> doubt, bool keep,
                                  const spooling_situation& is);

    // Everything of this batch is committed.
    void committed(const held_batch& done);

    // --- what the database knows of it ---

    // Whether it has still to be asked how far the spool is committed, or be told.
    [[nodiscard]] bool must_ask() const noexcept { return on() && !asked_; }
    [[nodiscard]] bool must_tell() const noexcept { return on() && done_ > told_; }
    [[nodiscard]] std::int64_t done() const noexcept { return done_; }
    void ask_again() noexcept { asked_ = false; }
    void answered(std::int64_t committed, const std::function<void(const block&)>& show);
    void told() noexcept { told_ = done_; }

    [[nodiscard]] const lane_spool_counts& counts() const noexcept { return counts_; }

private:
    lane_spool* spool_;
    std::optional<spool_replay> replay_;
    std::int64_t done_ = 0;  // entries up to it are committed
    std::int64_t told_ = 0;  // and the database knows
    bool asked_ = false;
    bool broken_ = false;             // a sync failed: nothing goes in any more
    std::int64_t full_until_us_ = 0;  // an append was refused: not tried again at once
    std::int64_t budget_ = 0;         // blocks it may take in while it is read back
    lane_spool_counts counts_;
};

}  // namespace ingest
