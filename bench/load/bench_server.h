// The private TimescaleDB that everything is measured on: durable, with the settings of a small
// server, the same for every way in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/report/environment.h"
#include "daemon/db/pg_connection.h"
#include "tests/support/private_cluster.h"

namespace bench {

// tickd's settings, as YAML, by which it writes rows alone.
inline constexpr std::string_view without_segments =
    "segments:\n  write: false\n  compact: false\n";

class bench_server {
public:
    // Makes and starts it.
    bench_server();

    // A new database with tickd's schema; its connection string, as superuser.
    [[nodiscard]] std::string tickd_database();
    // A new database with the mission's tables as they are written, and nothing of tickd's.
    [[nodiscard]] std::string mission_database();
    // Drops the database; nobody may need it any more.
    void drop(const std::string& conninfo);
    // Writes everything to disk, so that a run does not pay for the one before it.
    void settle();
    // Starts it anew, with nothing of its files in memory. Connections to it end. The bytes that
    // the kernel would not let go of.
    std::uint64_t restart_cold();

    [[nodiscard]] const std::string& folder() const noexcept { return cluster_.directory(); }
    // Time on a processor of the server and of all its processes so far, those that have ended
    // included.
    [[nodiscard]] double cpu_seconds() const;
    // Versions, and the settings that were made.
    [[nodiscard]] facts describe();

private:
    tickd::test::private_cluster cluster_;
    tickd::pg_connection sql_;
};

}  // namespace bench
