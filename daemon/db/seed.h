// Writes the made-up data of seed_model into a migrated database.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "daemon/db/pg_connection.h"
#include "daemon/db/seed_model.h"

namespace tickd {

struct seed_counts {
    std::uint64_t tenants = 0, portfolios = 0, positions = 0, ticks = 0, events = 0;
};

// Everything in one transaction: all of it or nothing. `progress` hears how many of the ticks and
// events have been sent, about every ten thousand. Needs the rights of tickd_owner or more; refuses
// a database that holds the same tenants already (SQLSTATE 23505).
[[nodiscard]] std::expected<seed_counts, pg_error> write_seed(
    pg_connection& connection, const seed_options& options,
    const std::function<void(std::uint64_t)>& progress);

}  // namespace tickd
