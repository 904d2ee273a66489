// The hash of an activity row, `ual-row/v1`: SHA-256 over
//
//     "ual-row/v1\n" || int16 10 || ten COPY BINARY fields
//
// with the fields id, timestamp, agent_id, action_type, action_payload, user_id, session_id,
// metadata, created_at, tenant_id. From the int16 on this is the tuple that COPY (FORMAT binary)
// carries, so the writer hashes its own wire buffer and an auditor hashes what COPY TO sends.
#pragma once

#include <memory>
#include <string_view>

#include "ingest/sha256.h"

namespace ingest {

inline constexpr std::string_view activity_row_tag = "ual-row/v1\n";
inline constexpr int activity_row_fields = 10;

class activity_hasher {
public:
    // Fetches the digest once; throws std::runtime_error when libcrypto has no SHA-256.
    activity_hasher();
    ~activity_hasher();
    activity_hasher(const activity_hasher&) = delete;
    activity_hasher& operator=(const activity_hasher&) = delete;

    // `fields`: the ten fields, each with its length word, without the tuple's field count.
    [[nodiscard]] sha256_digest row_hash(std::string_view fields);
    // For the tree over such hashes.
    [[nodiscard]] sha256& plain() noexcept { return plain_; }

private:
    struct state;
    std::unique_ptr<state> state_;
    sha256 plain_;
};

}  // namespace ingest
