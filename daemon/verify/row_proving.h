// Proofs made from the database: that a row is in the log, and that one checkpoint continues
// another.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "daemon/verify/log_snapshot.h"
#include "verify/row_proof.h"

namespace tickd {

// With `outside`, under that checkpoint; else under the newest one that the database has a copy of.
// The proof has been checked against the key, if there is one.
[[nodiscard]] std::expected<verify::row_proof, read_error> prove_row(
    const pg_target& target, std::int64_t id, const std::optional<std::string>& outside,
    const std::optional<verify::verifier_key>& key);

// The RFC 6962 path from the older tree to the newer. Nothing: the database's log is the
// continuation of the one, the other or both of them no more.
struct consistency {
    std::vector<verify::digest> path;
    bool holds = false;
    std::string why_not;
};
[[nodiscard]] std::expected<consistency, read_error> prove_consistency(
    const pg_target& target, const verify::tree_head& older, const verify::tree_head& newer);

}  // namespace tickd
