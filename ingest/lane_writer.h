// One lane's writer: which batch goes next, what an outcome means, when to try again. It decides;
// the database, the ring and the clock are behind ports, so the simulation runs it unchanged.
//
//     ring -> next_ (gathering) -> current_ (in a transaction) -> settled
//               |                      ^
//               '-> spool -> replay ---'    while the database is away or has stalled
//
// The order is always current_, spool, next_, ring, and whoever comes first is committed first: so
// a producer's records stay in order on every way. What is handed to the spool goes home at once
// as `spooled`; the spool's blocks are told of as `replayed` once they are committed.
//
// Blocks settle in the order in which they came. While current_ is with the database, next_ is
// gathered and, once full, prepared. A batch whose COMMIT went unanswered stays in current_ until
// the ledger has been asked on a connection that has taken the lane again: in doubt never shares
// a path with committed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ingest/lane_database.h"
#include "ingest/lane_spooling.h"
#include "ingest/sqlstate_policy.h"

namespace ingest {

// How far a producer has come.
struct resume_point {
    std::optional<std::uint64_t> committed;  // in the database; nothing: it cannot be asked now
    std::uint64_t kept = 0;                  // there or in the spool
};

struct watermark_request {
    std::string producer;         // its key, producer_key.h
    bool wants_committed = true;  // false: content with what the spool knows, if it knows anything
    std::function<void(resume_point)> answer{};  // called on the writer's thread
};

// What a batch spends its time in, on the writer's side.
enum class writer_stage : std::uint8_t {
    prepare,  // sorting and encoding
    commit,   // its transaction, which succeeded
};

struct lane_writer_ports {
    // The ring's next block, or null.
    std::function<std::unique_ptr<block>()> take;
    // A settled block goes back to the session thread: its rows are committed.
    std::function<void(std::unique_ptr<block>)> settled;
    // A producer that waits to be told where to resume, or nothing.
    std::function<std::optional<watermark_request>()> next_request;
    // Since 1970, for the time of a dead letter.
    std::function<std::int64_t()> unix_now_us;
    // Something went wrong or came right again; for the log.
    std::function<void(failure_action, const database_error&)> failed;
    std::function<void(std::int64_t epoch)> connected;

    // --- with a spool ---

    // A block goes back to the session thread: its rows are in the spool.
    std::function<void(std::unique_ptr<block>)> spooled{};
    // A block that was in the spool, of this process (its sessions' ids are in it) or of an
    // earlier one (they are 0), is committed. It stays with the writer.
    std::function<void(const block&)> replayed{};
    // No block is left to read records into.
    std::function<bool()> starved{};
    // The daemon ends: what is in memory must not stay there.
    std::function<bool()> stopping{};
    std::function<std::int64_t()> monotonic_us{};

    // Hears how long a stage of a batch took. Needs monotonic_us; may be empty.
    std::function<void(writer_stage, std::int64_t took_us, std::uint32_t rows)> took{};
};

struct lane_writer_counts {
    std::uint64_t batches = 0;
    std::uint64_t ticks = 0, events = 0, dead_letters = 0;
    std::uint64_t connects = 0;
    std::uint64_t failures = 0;
    std::uint64_t in_doubt = 0;
    std::uint64_t in_doubt_committed = 0;  // of them, those the ledger knew
};

class lane_writer {
public:
    enum class doing : std::uint8_t {
        worked,   // call again
        idle,     // nothing to write: call when a block or a request has come
        waiting,  // call at retry_at_us()
        fenced,   // a newer holder has the lane: never call again
    };

    // `rows_max` bounds a batch. `seed` drives the jitter of the waits.
    // Without a spool what comes while the database is away stays in memory and the ring.
    lane_writer(lane_database& database, lane_writer_ports ports, std::uint32_t rows_max,
                std::uint64_t seed, lane_spool* spool = nullptr);

    // Before the first step: its batches carry no segments.
    void leave_out_segments() noexcept { segments_ = segments_wanted::no; }

    // Does the next thing to its end. `now_us` is monotonic.
    [[nodiscard]] doing step(std::int64_t now_us);

    // Puts what is in memory into the spool, as far as it goes: before an end that cannot wait.
    void rescue();

    [[nodiscard]] std::int64_t retry_at_us() const noexcept { return retry_at_us_; }
    // While waiting: when step() may have something to do, at the latest.
    [[nodiscard]] std::int64_t wake_at_us() const;
    [[nodiscard]] bool holds_rows() const noexcept {
        return !current_.rows.empty() || !next_.rows.empty();
    }
    // Whether it holds rows that are not in the spool as well.
    [[nodiscard]] bool holds_rows_in_memory() const noexcept {
        return (!current_.rows.empty() && !current_.whole) || !next_.rows.empty();
    }
    // Whether it would take blocks now that wait for nothing but to be full.
    [[nodiscard]] bool takes_blocks() const { return spooling_.on() && spooling_.due(situation()); }
    [[nodiscard]] bool has_backlog() const noexcept { return spooling_.backlog(); }
    [[nodiscard]] const lane_spool_counts& spool_counts() const noexcept {
        return spooling_.counts();
    }
    // Records that are in the spool and in a batch that did not come from there.
    [[nodiscard]] std::uint64_t rows_held_twice() const noexcept {
        return (current_.replayed ? 0 : current_.spooled_rows) + next_.spooled_rows;
    }
    [[nodiscard]] bool connected() const noexcept { return held_; }
    [[nodiscard]] const lane_writer_counts& counts() const noexcept { return counts_; }

private:
    [[nodiscard]] doing take_lane(std::int64_t now_us);
    [[nodiscard]] doing settle_doubt(std::int64_t now_us);
    [[nodiscard]] doing ask_of_spool(std::int64_t now_us);
    [[nodiscard]] doing tell_of_spool(std::int64_t now_us);
    [[nodiscard]] doing commit(std::int64_t now_us);
    [[nodiscard]] doing idle(std::int64_t now_us);
    [[nodiscard]] bool answer_request(std::int64_t now_us);
    void answer_from_spool();
    [[nodiscard]] bool begin_batch();
    void prepare(held_batch& which);
    [[nodiscard]] bool prepare_some(held_batch& which, std::size_t ticks_max);
    bool gather();
    [[nodiscard]] bool fill_next();
    void settle();
    void drop_lost_producers(held_batch& from);
    void wait(std::int64_t now_us, std::int64_t base_us, std::int64_t cap_us);
    void lose_link() noexcept;

    // lane_writer_failures.cpp
    [[nodiscard]] doing after_failure(const database_error& error, std::int64_t now_us);
    [[nodiscard]] doing isolate(std::int64_t now_us);
    [[nodiscard]] doing lose_producer(const std::string& name, std::int64_t now_us);

    // lane_writer_spool.cpp
    [[nodiscard]] spooling_situation situation() const;
    void spill();
    void hand_over_current();
    void reread_spool();

    lane_database& database_;
    lane_writer_ports ports_;
    std::uint32_t rows_max_;
    std::mt19937_64 jitter_;

    segments_wanted segments_ = segments_wanted::yes;
    held_batch current_, next_;
    lane_spooling spooling_;
    bool held_ = false;
    bool fenced_ = false;
    std::optional<batch_name> doubt_;
    std::optional<batch_name> under_way_;  // the transaction that current_ is in just now
    std::int64_t commit_began_us_ = 0;
    std::int64_t away_since_us_ = 0;
    std::int64_t epoch_ = 0;
    std::int64_t next_number_ = 1;
    std::int64_t retry_at_us_ = 0;
    int failures_in_a_row_ = 0;
    std::unordered_set<std::string> lost_producers_;
    std::deque<watermark_request> requests_;  // asked, not yet answered
    lane_writer_counts counts_;
};

}  // namespace ingest
