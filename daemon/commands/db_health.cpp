// `tickd db health`.
#include <cstdio>

#include "daemon/commands/db_commands.h"
#include "daemon/db/health.h"

namespace tickd {

namespace {

void print_checks(const std::vector<health_check>& checks, bool json) {
    if (json) {
        std::puts(to_json(checks).c_str());
        return;
    }
    for (const health_check& check : checks) std::puts(to_line(check).c_str());
}

}  // namespace

void add_db_health_command(CLI::App& db, command_context& context) {
    CLI::App* const health = db.add_subcommand(
        "health", "One line a check: ok, note, warn or fail; exit code 1 when one fails");
    const CLI::Option* const json = health->add_flag("--json", "One JSON object instead");
    health->callback([&context, json] {
        const auto settings = context.load();
        if (!settings) return;
        pg_target target = database_target(*settings);
        target.check_server = false;  // A check of its own says what is wrong with the server.
        auto connection = pg_connection::connect(target);
        if (!connection) {
            print_checks({{check_status::fail, "connection", to_text(connection.error())}},
                         json->count() > 0);
            context.result = exit_code::unavailable;
            return;
        }
        const auto checks = check_health(*connection, embedded_migrations());
        print_checks(checks, json->count() > 0);
        context.result = exit_code_of(checks);
    });
}

}  // namespace tickd
