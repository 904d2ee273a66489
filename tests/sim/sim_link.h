// One process's connection to the simulated database, and everything that goes wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/sim_database.h"

namespace tickd::test {

class sim_link final : public ingest::lane_database {
public:
    // `holder`: the process. Faults happen while `*faults_on`.
    sim_link(sim_database& database, sim_random& random, const sim_odds& odds, sim_counts& counts,
             const bool& faults_on, std::uint32_t lane, std::uint64_t holder);

    // The rest of the process goes on during a commit.
    std::function<void()> during_commit;
    // The process was killed while its COMMIT was under way: it takes no further step.
    bool killed = false;

    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> take_lane() override;
    [[nodiscard]] ingest::commit_result commit(ingest::batch& rows, ingest::batch_name name,
                                               const std::optional<ingest::spool_mark>& from_spool,
                                               const std::function<bool()>& meanwhile) override;
    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> spool_committed(
        const ingest::uuid& spool) override;
    [[nodiscard]] std::expected<void, ingest::database_error> pass_spool(
        const ingest::uuid& spool, std::int64_t last) override;
    [[nodiscard]] std::expected<bool, ingest::database_error> was_committed(
        ingest::batch_name name) override;
    [[nodiscard]] std::expected<std::vector<ingest::refused_place>, ingest::database_error>
    find_refused(ingest::batch& rows) override;
    [[nodiscard]] std::expected<std::uint64_t, ingest::database_error> watermark(
        const std::string& producer) override;
    void disconnect() noexcept override { held_ = false; }

private:
    [[nodiscard]] bool fails(std::uint64_t odds) { return faults_on_ && random_.chance(odds); }
    [[nodiscard]] bool cut(std::uint64_t odds);
    void expect_held(const std::string& call);
    [[nodiscard]] sim_transaction transaction_of(const ingest::batch& rows,
                                                 ingest::batch_name name);
    void check_shares(const ingest::batch& rows, sim_transaction& made);
    [[nodiscard]] ingest::commit_result leave_in_doubt(const sim_transaction& left);

    sim_database& database_;
    sim_random& random_;
    const sim_odds& odds_;
    sim_counts& counts_;
    const bool& faults_on_;
    std::uint32_t lane_;
    std::uint64_t holder_;
    ingest::activity_hasher hasher_;
    std::int64_t epoch_ = 0;
    bool held_ = false;
};

}  // namespace tickd::test
