// `tickd db`: the schema and the state of the database.
#include <cstdio>

#include "daemon/commands/db_commands.h"

namespace tickd {

void add_db_command(CLI::App& app, command_context& context) {
    CLI::App* const db = app.add_subcommand(
        "db", "Migrates the database, checks it, drops old ticks, fills it with made-up data");
    db->require_subcommand(1);
    add_db_migrate_command(*db, context);
    add_db_health_command(*db, context);
    add_db_seed_command(*db, context);
    add_db_retain_command(*db, context);
    add_db_rebuild_command(*db, context);
}

pg_target database_target(const config& settings) {
    pg_target target;
    target.conninfo = settings.database.url;
    target.password_file = settings.database.password_file;
    target.connect_timeout = settings.database.connect_timeout;
    return target;
}

std::optional<pg_connection> open_database(const config& settings, command_context& context) {
    auto connection = pg_connection::connect(database_target(settings));
    if (connection) return std::move(*connection);
    std::fprintf(stderr, "tickd: %s\n", to_text(connection.error()).c_str());
    context.result = exit_code::unavailable;
    return std::nullopt;
}

exit_code exit_code_of(const pg_error& error) noexcept {
    if (error.connection_lost) return exit_code::unavailable;
    if (error.sqlstate == "42501") return exit_code::not_allowed;
    if (error.sqlstate == "55P03" || error.sqlstate.starts_with("40")) return exit_code::try_again;
    return exit_code::internal;
}

}  // namespace tickd
