// The private TimescaleDB that everything is measured on: durable, with the settings of a small
// server, the same for every way in.
#pragma once

#include <string>

#include "bench/report/environment.h"
#include "daemon/db/pg_connection.h"
#include "tests/support/private_cluster.h"

namespace bench {

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

    [[nodiscard]] const std::string& folder() const noexcept { return cluster_.directory(); }
    // Versions, and the settings that were made.
    [[nodiscard]] facts describe();

private:
    tickd::test::private_cluster cluster_;
    tickd::pg_connection sql_;
};

}  // namespace bench
