// What `tickd doctor` looks at before a daemon is started: its configuration, this machine, and the
// database with its server.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/db/health.h"
#include "daemon/db/pg_connection.h"

namespace tickd {

// Listeners that anybody on the network may use, or that take secrets in the open.
[[nodiscard]] health_check check_listeners(const config& settings);

// Whether the listeners' certificates can be read and used, and for how long yet. `now_s`: since
// 1970.
[[nodiscard]] health_check check_certificates(const config& settings, std::int64_t now_s);

// Whether `files_max` descriptors, as many as this process may open, are enough for every session
// the listeners allow.
[[nodiscard]] health_check check_files(const config& settings, std::uint64_t files_max);
// The soft limit that a daemon started from here would have.
[[nodiscard]] std::uint64_t files_of_this_process();

// Whether the spool's disk has the room that the lanes may fill.
[[nodiscard]] health_check check_spool_space(const config& settings);

// All of the above.
[[nodiscard]] std::vector<health_check> check_machine(const config& settings);

// Those of server_checks.h and of `db health`.
[[nodiscard]] std::vector<health_check> check_server(pg_connection& connection);

}  // namespace tickd
