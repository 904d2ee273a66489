// What a lane's writer asks of its database. Implemented over libpq by
// daemon/serve/pg_lane_database and, with a fake clock, by the simulation: the only virtual
// interface of the data path.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ingest/batch.h"

namespace ingest {

struct database_error {
    std::string sqlstate;  // five characters; empty: no answer, the connection broke
    std::string message;
    std::string subject;  // the producer that producer_lost is about; empty otherwise
};

enum class commit_outcome : std::uint8_t {
    committed,  // the server said so: acks may leave
    failed,     // the server kept nothing
    in_doubt,   // COMMIT left and no answer came: only the ledger may decide
};

struct commit_result {
    commit_outcome outcome = commit_outcome::failed;
    database_error error;  // of failed and in_doubt
};

// A batch's name in the ledger.
struct batch_name {
    std::int64_t epoch = 0;
    std::int64_t number = 0;
};

// Blocks of a spool that a batch carries: its transaction settles them too.
struct spool_mark {
    uuid spool;
    std::int64_t first = 0, last = 0;
};

// A row the server refuses, as an index into batch.ticks() or batch.events().
struct refused_place {
    bool is_event = false;
    std::size_t place = 0;
    std::string sqlstate;
};

class lane_database {
public:
    virtual ~lane_database() = default;

    // Connects and takes the lane: ends the transactions of earlier holders, waits until none is
    // left, and returns the new epoch. From then on older epochs cannot commit.
    [[nodiscard]] virtual std::expected<std::int64_t, database_error> take_lane() = 0;

    // Sends a prepared batch as one transaction. Numbers its events when that is still to do.
    // `meanwhile` is called whenever there is nothing to do but wait, several times a second; and
    // again at once while it says that there is more for it to do, unless the wait is over.
    [[nodiscard]] virtual commit_result commit(batch& rows, batch_name name,
                                               const std::optional<spool_mark>& from_spool,
                                               const std::function<bool()>& meanwhile) = 0;

    // Whether the ledger knows the batch. To be asked after take_lane only: then the answer stands.
    [[nodiscard]] virtual std::expected<bool, database_error> was_committed(batch_name name) = 0;

    // Which rows of the batch the server refuses, found by trying halves in transactions that are
    // rolled back. At least one, or an error when that cannot be found out now.
    [[nodiscard]] virtual std::expected<std::vector<refused_place>, database_error> find_refused(
        batch& rows) = 0;

    // A producer's watermark: the newest sequence that is settled; 0 when it is unknown.
    [[nodiscard]] virtual std::expected<std::uint64_t, database_error> watermark(
        const std::string& producer) = 0;

    // The newest block of a spool that is committed; 0: none. To be asked after take_lane.
    [[nodiscard]] virtual std::expected<std::int64_t, database_error> spool_committed(
        const uuid& spool) = 0;
    // Blocks up to `last` were committed by transactions that did not say so.
    [[nodiscard]] virtual std::expected<void, database_error> pass_spool(const uuid& spool,
                                                                         std::int64_t last) = 0;

    // Whether the connection still stands, as far as can be seen without asking the server. For a
    // lane that has nothing to do, which would otherwise not notice.
    [[nodiscard]] virtual bool alive() noexcept { return true; }

    virtual void disconnect() noexcept = 0;

    // From any thread: the call that waits for the server fails soon, and so does every later one.
    virtual void give_up() noexcept {}
};

}  // namespace ingest
