// What the subcommands of `tickd tenant` share; each group is in a file of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/commands/db_commands.h"

namespace tickd {

void add_tenant_role_commands(CLI::App& group, command_context& context);  // role add, list, remove
void add_tenant_token_commands(CLI::App& group,
                               command_context& context);  // token new, list, revoke

// The configured database, or nothing after it has been said on stderr why not.
[[nodiscard]] std::optional<pg_connection> open_configured(command_context& context);

// The id of the tenant with this name or id. Nothing: there is none, which has been said.
[[nodiscard]] std::optional<std::string> tenant_id_of(pg_connection& connection,
                                                      const std::string& tenant,
                                                      command_context& context);

// Says on stderr what the database refused, and whom to be when it is a matter of rights.
[[nodiscard]] exit_code explain_tenants(const pg_error& error);

// Rows under their names, in columns; or a JSON array of one object each, where NULL is null.
void print_rows(const pg_rows& rows, const std::vector<std::string>& names, bool json);

}  // namespace tickd
