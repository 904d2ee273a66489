// One lane's writer: which batch goes next, what an outcome means, when to try again. It decides;
// the database, the ring and the clock are behind ports, so the simulation runs it unchanged.
//
//     ring -> next_ (gathering) -> current_ (in a transaction) -> settled
//
// Blocks settle in the order in which they came. While current_ is with the database, next_ is
// gathered and, once full, prepared. A batch whose COMMIT went unanswered stays in current_ until
// the ledger has been asked on a connection that has taken the lane again: in doubt never shares
// a path with committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ingest/lane_database.h"
#include "ingest/sqlstate_policy.h"

namespace ingest {

struct watermark_request {
    std::string producer;
    std::function<void(std::uint64_t)> answer;  // called on the writer's thread
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
    lane_writer(lane_database& database, lane_writer_ports ports, std::uint32_t rows_max,
                std::uint64_t seed);

    // Does the next thing to its end. `now_us` is monotonic.
    [[nodiscard]] doing step(std::int64_t now_us);

    [[nodiscard]] std::int64_t retry_at_us() const noexcept { return retry_at_us_; }
    [[nodiscard]] bool holds_rows() const noexcept { return !current_.empty() || !next_.empty(); }
    [[nodiscard]] bool connected() const noexcept { return held_; }
    [[nodiscard]] const lane_writer_counts& counts() const noexcept { return counts_; }

private:
    [[nodiscard]] doing take_lane(std::int64_t now_us);
    [[nodiscard]] doing settle_doubt(std::int64_t now_us);
    [[nodiscard]] doing commit(std::int64_t now_us);
    [[nodiscard]] doing isolate(std::int64_t now_us);
    [[nodiscard]] doing after_failure(const database_error& error, std::int64_t now_us);
    [[nodiscard]] bool answer_request(std::int64_t now_us);
    void gather();
    void settle();
    void drop_lost_producers();
    void wait(std::int64_t now_us, std::int64_t base_us, std::int64_t cap_us);
    void lose_link() noexcept;

    lane_database& database_;
    lane_writer_ports ports_;
    std::uint32_t rows_max_;
    std::mt19937_64 jitter_;

    batch current_, next_;
    bool current_prepared_ = false;
    bool next_prepared_ = false;
    bool held_ = false;
    bool fenced_ = false;
    std::optional<batch_name> doubt_;
    std::int64_t epoch_ = 0;
    std::int64_t next_number_ = 1;
    std::int64_t retry_at_us_ = 0;
    int failures_in_a_row_ = 0;
    std::unordered_set<std::string> lost_producers_;
    std::optional<watermark_request> request_;  // asked, not yet answered
    lane_writer_counts counts_;
};

}  // namespace ingest
