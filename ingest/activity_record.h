// The text of a record of the activity log (docs/activity-log.md): lines of known keys in known
// order, each `key value`. What reads back is what was written, byte for byte, or it is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/sha256.h"
#include "ingest/uuid.h"

namespace ingest {

enum class record_of : std::uint8_t { genesis, rows, heartbeat, key };

struct activity_record {
    record_of kind = record_of::genesis;
    std::string origin;
    std::int64_t index = 0;
    // Of rows:
    std::optional<uuid> tenant;
    std::int64_t tseq = 0;
    std::string previous;  // 64 hex digits: the tenant's record before, zeros for the first
    std::int64_t first_id = 0, count = 0;
    std::string root;     // 64 hex digits
    std::string sources;  // `src` lines, each with its newline
    std::string writer;
    std::int64_t epoch = 0;
    // Of a key:
    std::string vkey;
    std::int64_t from_index = 0;

    std::int64_t time_us = 0;
    std::string nonce;  // 32 hex digits
};

[[nodiscard]] std::string to_text(const activity_record& record);

// The record, or what is wrong with the text.
[[nodiscard]] std::expected<activity_record, std::string> parse_activity_record(
    std::string_view text);

}  // namespace ingest
