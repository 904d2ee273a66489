// What the subcommands of `tickd deadletter` share; each is in a file of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/commands/db_commands.h"
#include "daemon/deadletter/letter_filter.h"

namespace tickd {

void add_deadletter_list_command(CLI::App& group, command_context& context);
void add_deadletter_show_command(CLI::App& group, command_context& context);
void add_deadletter_replay_command(CLI::App& group, command_context& context);
void add_deadletter_purge_command(CLI::App& group, command_context& context);

// The filters as the user wrote them.
struct filter_arguments {
    std::vector<std::int64_t> ids;
    std::vector<std::string> verdicts, producers;
    std::string since, until;
    std::string state;
};

// Adds --id, --verdict, --producer, --since and --until.
void add_filter_options(CLI::App& command, filter_arguments& arguments);
// Adds --state, which is `initially` unless given.
void add_state_option(CLI::App& command, filter_arguments& arguments, std::string initially);

// Nothing after it has been said on stderr what is wrong; the context's result is usage then.
[[nodiscard]] std::optional<letter_filter> filter_of(const filter_arguments& arguments,
                                                     command_context& context);

// Says on stderr what the database refused, and whom to be when it is a matter of rights.
[[nodiscard]] exit_code explain_letters(const pg_error& error);

}  // namespace tickd
