// The whole command line of `tickd`, for main and for what is made of it: man page and completion.
#pragma once

#include <CLI/CLI.hpp>

#include "daemon/commands/commands.h"

namespace tickd {

inline constexpr const char* program_description =
    "Takes ticks and activity events as lines of JSON over TCP and stores them in\n"
    "PostgreSQL with TimescaleDB.";

// Adds the options that every command knows, and all commands. Both arguments must outlive parsing.
void add_command_line(CLI::App& app, command_context& context);

}  // namespace tickd
