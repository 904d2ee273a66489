// Activity events made ready: as lines, and as a file for `psql \copy` whose rows carry their hash
// already. Made with tickd's own parser and encoder, so that both ways carry the same rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ingest/row_check.h"

namespace bench {

struct event_workload {
    std::string name;  // on the command line: `recorded`
    std::string description;
    std::vector<std::filesystem::path> recorded{};  // gzipped NDJSON; empty: made up
};

[[nodiscard]] std::vector<event_workload> event_workloads();

struct event_files {
    std::uint64_t rows = 0, line_bytes = 0;
    std::filesystem::path lines;           // NDJSON with `seq`
    std::filesystem::path rows_with_hash;  // COPY BINARY of event_copy_columns
    row_hashes expected;                   // of event_check_columns
};

// Writes `rows` events into `folder`; recordings are repeated as often as that takes. Throws
// std::runtime_error, also when tickd would refuse a line.
[[nodiscard]] event_files make_event_files(const event_workload& of, std::uint64_t rows,
                                           const std::filesystem::path& folder);

inline constexpr std::string_view event_copy_columns =
    "id, timestamp, agent_id, action_type, action_payload, user_id, session_id, metadata,"
    " created_at, hash_sha256";
// What does not depend on when and as which row tickd writes an event.
inline constexpr std::string_view event_check_columns =
    "agent_id, action_type, action_payload, user_id, session_id, metadata";

}  // namespace bench
