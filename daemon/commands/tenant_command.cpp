// `tickd tenant`: whose rows are kept apart, who reads them and who sends them.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "daemon/commands/tenant_commands.h"
#include "daemon/json_quoted.h"
#include "daemon/log.h"

namespace tickd {

namespace {

void add(command_context& context, const std::string& name) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto id = connection->query("SELECT tickd.add_tenant($1)", {name});
    if (!id) {
        context.result = explain_tenants(id.error());
        return;
    }
    std::printf("%s\n", std::string(id->at(0, 0)).c_str());
}

void list(command_context& context, bool json) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto rows = connection->query(
        "SELECT tenant_id, name, created_at::timestamptz(0), roles, portfolios, tokens"
        " FROM tickd.list_tenants()");
    if (!rows) {
        context.result = explain_tenants(rows.error());
        return;
    }
    print_rows(*rows, {"tenant_id", "name", "created", "roles", "portfolios", "tokens"}, json);
}

void remove(command_context& context, const std::string& tenant, bool yes) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto id = tenant_id_of(*connection, tenant, context);
    if (!id) return;
    if (!yes) {
        std::fputs(
            "tickd: would remove the tenant, its portfolios, its tokens and what its roles may see;"
            " its ticks, events and dead letters stay, seen by no tenant. Add --yes to do it\n",
            stderr);
        context.result = exit_code::usage;
        return;
    }
    const auto gone = connection->query("SELECT tickd.remove_tenant($1)", {id});
    if (!gone) {
        context.result = explain_tenants(gone.error());
        return;
    }
    std::printf("removed %s\n", id->c_str());
}

}  // namespace

std::optional<pg_connection> open_configured(command_context& context) {
    const auto settings = context.load();
    if (!settings) return std::nullopt;
    return open_database(*settings, context);
}

std::optional<std::string> tenant_id_of(pg_connection& connection, const std::string& tenant,
                                        command_context& context) {
    const auto id = connection.query("SELECT tickd.find_tenant($1)", {tenant});
    if (!id) {
        context.result = explain_tenants(id.error());
        return std::nullopt;
    }
    if (id->is_null(0, 0)) {
        std::fprintf(stderr, "tickd: no tenant has the name or id %s\n", printable(tenant).c_str());
        context.result = exit_code::data;
        return std::nullopt;
    }
    return std::string(id->at(0, 0));
}

exit_code explain_tenants(const pg_error& error) {
    std::fprintf(stderr, "tickd: %s\n", printable(to_text(error)).c_str());
    if (error.sqlstate == "42501") {
        std::fputs(
            "tickd: tenants are tickd_operator's business; making and granting roles that of who"
            " runs `tickd db migrate`\n",
            stderr);
    } else if (error.sqlstate == "42P01" || error.sqlstate == "3F000" ||
               error.sqlstate == "42883") {
        std::fputs("tickd: run `tickd db migrate` first\n", stderr);
        return exit_code::unavailable;
    } else if (error.sqlstate.starts_with("23") || error.sqlstate.starts_with("22")) {
        return exit_code::data;
    }
    return exit_code_of(error);
}

void print_rows(const pg_rows& rows, const std::vector<std::string>& names, bool json) {
    const int columns = static_cast<int>(names.size());
    const auto text = [&](int row, int column) {
        return rows.is_null(row, column) ? "-" : printable(rows.at(row, column));
    };
    if (json) {
        std::string out = "[";
        for (int row = 0; row < rows.size(); ++row) {
            out += row == 0 ? "{" : ",\n {";
            for (int column = 0; column < columns; ++column) {
                const auto name = static_cast<std::size_t>(column);
                out += (column == 0 ? "" : ",") + json_quoted(names[name]) + ":" +
                       (rows.is_null(row, column) ? "null" : json_quoted(rows.at(row, column)));
            }
            out += '}';
        }
        std::printf("%s]\n", out.c_str());
        return;
    }
    std::vector<std::size_t> widths;
    widths.reserve(names.size());
    for (const std::string& name : names) widths.push_back(name.size());
    for (int row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < columns; ++column) {
            std::size_t& width = widths[static_cast<std::size_t>(column)];
            width = std::max(width, text(row, column).size());
        }
    }
    const auto print_line = [&](auto of) {
        std::string line;
        for (int column = 0; column < columns; ++column) {
            std::string cell = of(column);
            cell.resize(std::max(cell.size(), widths[static_cast<std::size_t>(column)]), ' ');
            line += cell + "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        std::printf("%s\n", line.c_str());
    };
    print_line([&](int column) { return names[static_cast<std::size_t>(column)]; });
    for (int row = 0; row < rows.size(); ++row) {
        print_line([&](int column) { return text(row, column); });
    }
}

void add_tenant_command(CLI::App& app, command_context& context) {
    CLI::App* const group = app.add_subcommand(
        "tenant", "Adds tenants, lists and removes them; their roles; tokens for senders");
    group->require_subcommand(1);

    CLI::App* const adding = group->add_subcommand("add", "Adds a tenant and prints its id");
    const auto name = std::make_shared<std::string>();
    adding->add_option("NAME", *name, "Its name, of which there is one")->required()->type_name("");
    adding->callback([name, &context] { add(context, *name); });

    CLI::App* const listing = group->add_subcommand("list", "Lists tenants");
    const CLI::Option* const json = listing->add_flag("--json", "A JSON array instead");
    listing->callback([json, &context] { list(context, json->count() > 0); });

    CLI::App* const removing =
        group->add_subcommand("remove", "Removes a tenant; without --yes only says what would go");
    const auto tenant = std::make_shared<std::string>();
    removing->add_option("TENANT", *tenant, "Its name or id")->required()->type_name("");
    const CLI::Option* const yes = removing->add_flag("--yes", "Really remove it");
    removing->callback([tenant, yes, &context] { remove(context, *tenant, yes->count() > 0); });

    add_tenant_role_commands(*group, context);
    add_tenant_token_commands(*group, context);
}

}  // namespace tickd
