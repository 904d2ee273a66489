// `tickd doctor`.
#include <cstdio>
#include <utility>
#include <vector>

#include "daemon/commands/db_commands.h"
#include "daemon/doctor/preflight.h"
#include "daemon/doctor/sqlstate_table.h"

namespace tickd {

namespace {

void print(const std::vector<health_check>& checks, bool json) {
    if (json) {
        std::puts(to_json(checks).c_str());
        return;
    }
    for (const health_check& check : checks) std::puts(to_line(check).c_str());
}

void examine(command_context& context, bool json) {
    const auto settings = context.load();
    if (!settings) return;
    pg_target target = database_target(*settings);
    target.check_server = false;  // A check of its own says what is wrong with the server.
    auto connection = pg_connection::connect(target);
    std::vector<health_check> checks = check_machine(*settings);
    if (!connection) {
        checks.push_back({check_status::fail, "connection", to_text(connection.error())});
        print(checks, json);
        context.result = exit_code::unavailable;
        return;
    }
    for (health_check& each : check_server(*connection)) checks.push_back(std::move(each));
    print(checks, json);
    context.result = exit_code_of(checks);
}

}  // namespace

void add_doctor_command(CLI::App& app, command_context& context) {
    CLI::App* const doctor = app.add_subcommand(
        "doctor", "Looks at configuration, machine and database before the daemon is started");
    const CLI::Option* const sqlstates = doctor->add_flag(
        "--sqlstates", "Prints what an error of the database makes the daemon do, and ends");
    const CLI::Option* const json = doctor->add_flag("--json", "One JSON object instead");
    doctor->callback([&context, sqlstates, json] {
        if (sqlstates->count() == 0) {
            examine(context, json->count() > 0);
        } else if (json->count() > 0) {
            std::puts(sqlstate_json().c_str());
        } else {
            std::fputs(sqlstate_text().c_str(), stdout);
        }
    });
}

}  // namespace tickd
