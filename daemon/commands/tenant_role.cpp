// `tickd tenant role`: the database roles that read a tenant's rows.
#include <cstdio>
#include <memory>

#include "daemon/commands/tenant_commands.h"

namespace tickd {

namespace {

struct role_arguments {
    std::string role, tenant;
    bool pooler = false;
};

// Makes the role unless it is there, and says which tenant it reads, all or nothing.
[[nodiscard]] std::expected<void, pg_error> add_role(pg_connection& connection,
                                                     const std::string& role,
                                                     const pg_parameter& tenant) {
    const auto statement = connection.query(
        "SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
        " THEN format('GRANT tickd_reader TO %I', $1::text)"
        " ELSE format('CREATE ROLE %I LOGIN IN ROLE tickd_reader', $1::text) END",
        {role});
    if (!statement) return std::unexpected(statement.error());
    auto done = connection.exec("BEGIN;" + std::string(statement->at(0, 0)));
    if (done) {
        const auto mapped =
            connection.query("SELECT tickd.add_tenant_role($1, $2)", {role, tenant});
        if (!mapped) done = std::unexpected(mapped.error());
    }
    if (done) return connection.exec("COMMIT");
    static_cast<void>(connection.exec("ROLLBACK"));
    return done;
}

void add(command_context& context, const role_arguments& arguments) {
    if (arguments.pooler == !arguments.tenant.empty()) {
        std::fputs("tickd: a role needs either --tenant or --pooler\n", stderr);
        context.result = exit_code::usage;
        return;
    }
    auto connection = open_configured(context);
    if (!connection) return;
    pg_parameter tenant;
    if (!arguments.pooler) {
        tenant = tenant_id_of(*connection, arguments.tenant, context);
        if (!tenant) return;
    }
    if (const auto added = add_role(*connection, arguments.role, tenant); !added) {
        context.result = explain_tenants(added.error());
    }
}

void list(command_context& context, bool json) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto rows = connection->query(
        "SELECT role_name, tenant, CASE WHEN is_pooler THEN 'yes' ELSE 'no' END, trouble"
        " FROM tickd.list_tenant_roles()");
    if (!rows) {
        context.result = explain_tenants(rows.error());
        return;
    }
    print_rows(*rows, {"role", "tenant", "pooler", "trouble"}, json);
}

void remove(command_context& context, const std::string& role) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto gone = connection->query("SELECT tickd.remove_tenant_role($1)", {role});
    if (!gone) {
        context.result = explain_tenants(gone.error());
    } else if (!gone->is_true(0, 0)) {
        std::fputs("tickd: no tenant has this role\n", stderr);
        context.result = exit_code::data;
    }
}

}  // namespace

void add_tenant_role_commands(CLI::App& group, command_context& context) {
    CLI::App* const roles =
        group.add_subcommand("role", "Says which database role reads which tenant's rows");
    roles->require_subcommand(1);

    CLI::App* const adding = roles->add_subcommand(
        "add", "Lets a role read a tenant's rows, and makes it if there is none of that name");
    const auto arguments = std::make_shared<role_arguments>();
    adding->add_option("ROLE", arguments->role, "The database role")->required()->type_name("");
    adding->add_option("--tenant", arguments->tenant, "The tenant's name or id")
        ->type_name("TENANT");
    adding->add_flag("--pooler", arguments->pooler,
                     "It serves many tenants and names one with SET tickd.tenant");
    adding->callback([arguments, &context] { add(context, *arguments); });

    CLI::App* const listing =
        roles->add_subcommand("list", "Lists roles, and what is wrong with them");
    const CLI::Option* const json = listing->add_flag("--json", "A JSON array instead");
    listing->callback([json, &context] { list(context, json->count() > 0); });

    CLI::App* const removing =
        roles->add_subcommand("remove", "Takes a tenant's rows from a role; the role itself stays");
    const auto role = std::make_shared<std::string>();
    removing->add_option("ROLE", *role, "The database role")->required()->type_name("");
    removing->callback([role, &context] { remove(context, *role); });
}

}  // namespace tickd
