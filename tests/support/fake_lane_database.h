// A lane's database that does what a test's script says, and keeps what it was given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/lane_database.h"
#include "tests/support/records.h"

namespace tickd::test {

struct scripted_commit {
    ingest::commit_outcome outcome = ingest::commit_outcome::committed;
    ingest::database_error error{};
    bool kept = false;  // in doubt: whether the transaction was in fact committed
};

class fake_lane_database final : public ingest::lane_database {
public:
    // Each is used up from the front; a call that finds its script empty succeeds. A commit of
    // poison is refused whatever the script says, unless the link breaks first.
    std::deque<std::optional<ingest::database_error>> take_lane_script, was_committed_script,
        find_refused_script, watermark_script, spool_committed_script, pass_spool_script;
    std::deque<scripted_commit> commit_script;
    // Called during each commit before `meanwhile`.
    std::function<void()> during_commit;
    std::uint64_t watermark_answer = 0;
    bool finds_nothing = false;  // find_refused does not see the poison

    // What was called, such as "take_lane", "commit 1:1", "watermark feed-a".
    std::vector<std::string> calls;
    std::vector<known_row> kept;  // in order of commit
    std::set<std::pair<std::int64_t, std::int64_t>> ledger;
    std::map<ingest::uuid, std::int64_t> spools;  // how far each is committed
    bool linked = false;
    // Calls made without holding the lane: a writer never makes one.
    int calls_without_link = 0;

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
    void disconnect() noexcept override;

private:
    void note(const std::string& call);
    void keep(const ingest::batch& rows, ingest::batch_name name);

    ingest::activity_hasher hasher_;
    std::int64_t epoch_ = 0;
    std::int64_t next_id_ = 1;
};

}  // namespace tickd::test
