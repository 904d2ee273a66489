// The hash of an activity row, `ual-row/v1`: SHA-256 over
//
//     "ual-row/v1\n" || int16 10 || ten COPY BINARY fields
//
// with the fields id, timestamp, agent_id, action_type, action_payload, user_id, session_id,
// metadata, created_at, tenant_id. From the int16 on this is the tuple that COPY (FORMAT binary)
// carries, so the writer hashes its own wire buffer and an auditor hashes what COPY TO sends.
#pragma once

#include <array>
#include <memory>
#include <string_view>

namespace ingest {

inline constexpr std::string_view activity_row_tag = "ual-row/v1\n";
inline constexpr int activity_row_fields = 10;

using sha256_digest = std::array<unsigned char, 32>;
using sha256_hex = std::array<char, 64>;

class activity_hasher {
public:
    // Fetches the digest once; throws std::runtime_error when libcrypto has no SHA-256.
    activity_hasher();
    ~activity_hasher();
    activity_hasher(const activity_hasher&) = delete;
    activity_hasher& operator=(const activity_hasher&) = delete;

    // `fields`: the ten fields, each with its length word, without the tuple's field count.
    [[nodiscard]] sha256_digest row_hash(std::string_view fields);

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Lower case.
[[nodiscard]] sha256_hex to_hex(const sha256_digest& digest) noexcept;

}  // namespace ingest
