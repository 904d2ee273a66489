// The subcommands of `tickd`, one file each. Every function adds its subcommand to `app`; when the
// user picks it, its callback runs and stores what the process exits with in `result`.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "daemon/config/config.h"
#include "daemon/exit_code.h"

namespace tickd {

struct command_context {
    std::string config_file;  // --config FILE; empty: /etc/tickd/tickd.yaml when it exists
    exit_code result = exit_code::ok;

    // The configuration, or nothing after every problem has been printed to stderr and result is
    // exit_code::config.
    [[nodiscard]] std::optional<config> load();
    // The configuration with whatever is wrong with it, read anew.
    [[nodiscard]] loaded_config read() const;
};

void add_serve_command(CLI::App& app, command_context& context);
void add_send_command(CLI::App& app, command_context& context);
void add_db_command(CLI::App& app, command_context& context);          // migrate, health, seed
void add_deadletter_command(CLI::App& app, command_context& context);  // list, show, ...
void add_doctor_command(CLI::App& app, command_context& context);
void add_spool_command(CLI::App& app, command_context& context);   // status
void add_notary_command(CLI::App& app, command_context& context);  // key new, key show, adopt
void add_config_command(CLI::App& app, command_context& context);  // check, show
void add_query_command(CLI::App& app, command_context& context);   // ticks, candles, ...
void add_tenant_command(CLI::App& app, command_context& context);  // add, list, role, token, ...
void add_verify_command(CLI::App& app, command_context& context);  // activity, prove, ...
void add_version_command(CLI::App& app, command_context& context);

}  // namespace tickd
