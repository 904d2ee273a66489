// What the subcommands of `tickd db` share; each is in a file of its own.
#pragma once

#include <optional>

#include "daemon/commands/commands.h"
#include "daemon/db/pg_connection.h"

namespace tickd {

void add_db_migrate_command(CLI::App& db, command_context& context);
void add_db_health_command(CLI::App& db, command_context& context);
void add_db_seed_command(CLI::App& db, command_context& context);
void add_db_retain_command(CLI::App& db, command_context& context);
void add_db_rebuild_command(CLI::App& db, command_context& context);

// How to reach the configured database.
[[nodiscard]] pg_target database_target(const config& settings);

// Connects; when that fails says so on stderr and sets the context's result to unavailable.
[[nodiscard]] std::optional<pg_connection> open_database(const config& settings,
                                                         command_context& context);

// not_allowed, unavailable, try_again or internal, by the error's SQLSTATE.
[[nodiscard]] exit_code exit_code_of(const pg_error& error) noexcept;

}  // namespace tickd
