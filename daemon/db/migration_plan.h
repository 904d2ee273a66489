// What is left to migrate, decided from the files of the binary and the record of the database.
// Pure: no connection, no clock.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/embedded_sql.h"

namespace tickd {

// A row of tickd.tickd_migrations.
struct applied_migration {
    int number = 0;
    std::string name;
    std::string checksum;
};

struct migration_plan {
    std::vector<embedded_migration> pending;  // to run, in this order
    std::vector<std::string> problems;        // not empty: nothing may run; one sentence each
};

// Lower-case hex of SHA-256.
[[nodiscard]] std::string checksum_of(std::string_view sql);

// `0003_price_telemetry`, as the file is called.
[[nodiscard]] std::string label_of(int number, std::string_view name);

// A problem is: a file that changed or was renamed after it was applied; one that the database has
// and the binary lacks (the database was migrated by a newer tickd); one not applied although a
// later one was; embedded numbers that do not run from 1 without gaps. Both spans ascend by number.
[[nodiscard]] migration_plan plan_migrations(std::span<const embedded_migration> embedded,
                                             std::span<const applied_migration> applied);

// The line, from 1, of the character at `position` (from 1, as PostgreSQL counts); 0 when
// position is 0 or beyond the text.
[[nodiscard]] int line_of(std::string_view sql, int position) noexcept;

}  // namespace tickd
