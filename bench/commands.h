// The subcommands of `tickd-bench`, a folder each. Every function adds its subcommand to `app`;
// when the user picks it, its callback runs and stores what the process exits with in `result`.
// They throw std::exception when a benchmark cannot be run to its end.
#pragma once

#include <CLI/CLI.hpp>

#include "daemon/exit_code.h"

namespace bench {

struct command_context {
    tickd::exit_code result = tickd::exit_code::ok;
};

void add_micro_command(CLI::App& app, command_context& context);
void add_ingest_command(CLI::App& app, command_context& context);
void add_latency_command(CLI::App& app, command_context& context);
void add_neighbour_command(CLI::App& app, command_context& context);
void add_growth_command(CLI::App& app, command_context& context);
void add_activity_command(CLI::App& app, command_context& context);
void add_query_command(CLI::App& app, command_context& context);

}  // namespace bench
