// What a database server keeps, as far as delivery depends on it: rows, ledger, watermarks, lanes
// with their epochs, ids. It outlives every process of a run. A transaction whose client has gone
// may be undecided for a while; it holds its locks until then.
//
// It watches over its own law: the first breach is kept in `problem`.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "ingest/lane_database.h"
#include "tests/sim/sim_random.h"
#include "tests/support/records.h"

namespace tickd::test {

struct sim_share {
    std::string producer;
    std::uint64_t expected_seq, newest_seq, received, accepted, duplicates, dead_lettered;
};

struct sim_transaction {
    std::uint32_t lane = 0;
    std::uint64_t holder = 0;
    ingest::batch_name name;
    std::vector<known_row> rows;
    std::vector<sim_share> shares;
    std::optional<ingest::spool_mark> mark{};
    // Whose blocks do not follow each other: what lies between would be lost. A batch that a spool
    // held while another daemon wrote for the producer may be such a one, and must not be taken.
    std::string gap_of{};
};

// What a plain session sends, who has no name on the wire, calls itself in its records.
inline constexpr std::string_view plain_prefix = "plain-";
[[nodiscard]] inline bool is_plain(std::string_view feed) { return feed.starts_with(plain_prefix); }

class sim_database {
public:
    sim_database(sim_random& random, sim_counts& counts) : random_(random), counts_(counts) {}

    // Ends what earlier holders left undecided, then gives the lane to `holder`; TK001 when it has
    // been taken by another one since `known_epoch`.
    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> take_lane(
        std::uint32_t lane, std::uint64_t holder, std::int64_t known_epoch);
    // Why the transaction cannot commit; waits for undecided ones that hold its producers.
    [[nodiscard]] std::optional<ingest::database_error> refuses(const sim_transaction& asked);
    void apply(const sim_transaction& committed);
    void leave_undecided(sim_transaction left) { undecided_.push_back(std::move(left)); }
    // One undecided transaction, if there is any, comes to its end.
    void decide_one();

    [[nodiscard]] bool knows(std::uint32_t lane, ingest::batch_name name) const {
        return ledger_.contains({lane, name.epoch, name.number});
    }
    [[nodiscard]] std::uint64_t watermark(const std::string& producer) const;
    [[nodiscard]] std::int64_t reserve_ids(std::size_t count);
    // Somebody else uses the transaction's ids.
    void use_ids(const sim_transaction& of);

    struct copies {
        int rows = 0, dead_letters = 0, moved = 0;
    };
    [[nodiscard]] copies copies_of(const std::string& producer, std::uint64_t seq) const;

    void breach(const std::string& what) {
        if (problem.empty()) problem = what;
    }
    // How far each spool is committed.
    std::map<ingest::uuid, std::int64_t> spools;
    std::string problem;

private:
    struct lane_row {
        std::int64_t epoch = 0;
        std::uint64_t holder = 0;
    };
    struct producer_row {
        std::uint64_t watermark = 0;
        std::uint64_t moved_by = 0;
    };
    void decide(std::size_t index);

    sim_random& random_;
    sim_counts& counts_;
    std::map<std::uint32_t, lane_row> lanes_;
    std::set<std::tuple<std::uint32_t, std::int64_t, std::int64_t>> ledger_;
    std::map<std::string, producer_row> producers_;
    std::map<std::pair<std::string, std::uint64_t>, copies> records_;
    std::set<std::int64_t> ids_;
    std::int64_t next_id_ = 1;
    std::vector<sim_transaction> undecided_;
};

}  // namespace tickd::test
