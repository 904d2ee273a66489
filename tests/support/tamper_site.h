// A small activity log in a database of its own, with signed checkpoints inside and outside, which
// a test tampers with as superuser, and the three verifiers to ask about it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/db/pg_connection.h"
#include "daemon/verify/activity_verification.h"
#include "tests/support/daemon_process.h"
#include "tests/support/log_signer.h"

namespace tickd::test {

// level, class, record, first id, last id, size; `-` where there is none.
using finding_text = std::string;

// Six commits of ten rows of two tenants and of none, ids 1 to 70 with a gap at 31 to 40, in 20
// records: a genesis, 18 batches, a heartbeat. Checkpoints of sizes 10 and 20.
class tamper_site {
public:
    tamper_site();

    [[nodiscard]] pg_connection& sql() noexcept { return sql_; }
    [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }
    [[nodiscard]] const log_signer& notary() const noexcept { return *notary_; }
    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    // The folder of the checkpoints outside.
    [[nodiscard]] std::string outside() const { return folder_.file("outside"); }

    // Back to what was committed.
    void restore();
    // Makes every hash, root, record and head what they would be had today's rows been committed.
    void rehash();
    // Signs today's log at each size of which the database has a checkpoint, as `who`.
    void sign_again(const log_signer& who);

    // Of `tickd verify activity`, of the Python script, of the SQL function. Each with the key and
    // the outside checkpoints where it takes them.
    [[nodiscard]] std::set<finding_text> found_by_tickd();
    [[nodiscard]] std::set<finding_text> found_by_python();
    [[nodiscard]] std::set<finding_text> found_by_sql();

    [[nodiscard]] verification_request request() const;

private:
    std::string conninfo_;
    pg_connection sql_;
    std::string origin_;
    std::unique_ptr<log_signer> notary_;
    temporary_folder folder_;
};

[[nodiscard]] std::set<finding_text> texts_of(const verify::findings& found);

// Runs the Python verifier with these arguments.
[[nodiscard]] ended_process run_python_verifier(const std::vector<std::string>& arguments);

}  // namespace tickd::test
