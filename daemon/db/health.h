// What `tickd db health` looks at: each check is one function, one line of output, one status.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/embedded_sql.h"
#include "daemon/db/pg_connection.h"
#include "daemon/exit_code.h"

namespace tickd {

enum class check_status : std::uint8_t {
    ok,
    note,  // nothing is known to be wrong, and not everything could be seen
    warn,  // works, and somebody should look
    fail,  // does not work, or does not hold what is promised
};

struct health_check {
    check_status status = check_status::ok;
    std::string name;    // one word
    std::string detail;  // what was found, and what to do unless it is fine
};

// Every check, in the order of what rests on what. Stops early where the rest would only repeat
// the first failure. Needs no rights beyond those of tickd_ingest; what a role may not see
// becomes a note.
[[nodiscard]] std::vector<health_check> check_health(pg_connection& connection,
                                                     std::span<const embedded_migration> files);

[[nodiscard]] std::string_view to_string(check_status status) noexcept;

// `ok    hypertable  price_telemetry, ...` without a line end.
[[nodiscard]] std::string to_line(const health_check& check);

// {"status":"warn","checks":[{"name":"...","status":"...","detail":"..."},...]}; the first status
// is the worst of the checks.
[[nodiscard]] std::string to_json(std::span<const health_check> checks);

// check_failed when a check failed, ok otherwise.
[[nodiscard]] exit_code exit_code_of(std::span<const health_check> checks) noexcept;

// `12 s`, `5 min`, `3 h`, `4 d`: the largest unit that gives at least 2, or seconds.
[[nodiscard]] std::string age_text(std::int64_t seconds);

// --- the checks, each in the file of its subject; the schema must be there ----------------------

// health_schema.cpp
[[nodiscard]] health_check check_extension(pg_connection& connection);
[[nodiscard]] health_check check_hypertable(pg_connection& connection);
[[nodiscard]] health_check check_chunks(pg_connection& connection);
[[nodiscard]] health_check check_indexes(pg_connection& connection);
// health_rights.cpp
[[nodiscard]] health_check check_roles(pg_connection& connection);
[[nodiscard]] health_check check_rights(pg_connection& connection);
[[nodiscard]] health_check check_owner(pg_connection& connection);
// health_activity.cpp
[[nodiscard]] health_check check_activity_guard(pg_connection& connection);
// health_segments.cpp
[[nodiscard]] health_check check_segments(pg_connection& connection);
// health_disk.cpp
[[nodiscard]] health_check check_disk(pg_connection& connection);

// A check whose query failed: a note where a right is missing, else a failure.
[[nodiscard]] health_check not_checked(std::string name, const pg_error& error);

// The finished check: ok with `fine`, or a failure that lists up to five of the problems.
[[nodiscard]] health_check verdict_of(std::string name, const std::vector<std::string>& problems,
                                      std::string fine);

}  // namespace tickd
