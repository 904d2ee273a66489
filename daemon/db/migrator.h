// Brings the schema of a database up to what this binary needs.
#pragma once

#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "daemon/db/embedded_sql.h"
#include "daemon/db/migration_plan.h"
#include "daemon/db/pg_connection.h"

namespace tickd {

// Why a migration did not happen. Earlier migrations of the same run stay applied; the one that
// failed left nothing behind.
struct migration_failure {
    std::vector<std::string> problems;  // the plan's; nothing was run
    std::string where;                  // `0003_price_telemetry.sql:17`, or what was being done
    pg_error error;                     // when problems is empty
};

[[nodiscard]] std::string to_text(const migration_failure& failure);

// Rows of tickd.tickd_migrations by number; none in a database that was never migrated.
[[nodiscard]] std::expected<std::vector<applied_migration>, pg_error> read_applied(
    pg_connection& connection);

// Runs what is pending, each file in a transaction of its own together with its record, under an
// advisory lock: a second migrator waits and then finds nothing to do. `done` hears of each file
// once it is committed. Gives the number of files run.
[[nodiscard]] std::expected<int, migration_failure> migrate(
    pg_connection& connection, std::span<const embedded_migration> files,
    const std::function<void(const embedded_migration&)>& done);

}  // namespace tickd
