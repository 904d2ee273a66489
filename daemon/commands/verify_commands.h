// What the subcommands of `tickd verify` share; each is in a file of its own.
#pragma once

#include <optional>
#include <string>

#include "daemon/commands/commands.h"
#include "daemon/db/pg_connection.h"
#include "verify/signed_note.h"

namespace tickd {

void add_verify_activity_command(CLI::App& verify, command_context& context);
void add_verify_segments_command(CLI::App& verify, command_context& context);
void add_verify_prove_command(CLI::App& verify, command_context& context);
void add_verify_check_proof_command(CLI::App& verify, command_context& context);
void add_verify_consistency_command(CLI::App& verify, command_context& context);

// Says on stderr why there is no verdict, and sets the context's result to could_not_check.
void could_not_verify(command_context& context, const std::string& why);

// The whole file; nothing after could_not_verify.
[[nodiscard]] std::optional<std::string> read_evidence(command_context& context,
                                                       const std::string& path);

// A vkey, or the name of a file that holds one on its first line. Nothing after a usage error was
// said.
[[nodiscard]] std::optional<verify::verifier_key> pinned_key(command_context& context,
                                                             const std::string& text_or_file);

// Where the log is: `database` if it is not empty, else the configuration's.
[[nodiscard]] std::optional<pg_target> log_target(command_context& context,
                                                  const std::string& database);

}  // namespace tickd
