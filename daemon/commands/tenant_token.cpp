// `tickd tenant token`: what senders show. A secret is made here, printed once, and only its hash
// goes to the database.
#include <chrono>
#include <cstdio>
#include <format>
#include <memory>

#include "daemon/commands/tenant_commands.h"
#include "daemon/config/setting_value.h"
#include "daemon/identity/token_list.h"

namespace tickd {

namespace {

struct token_arguments {
    std::string name, tenant, valid_for;
    std::vector<std::string> producers;
    bool may_name_tenant = false;
};

void make(command_context& context, const token_arguments& arguments) {
    using namespace std::chrono_literals;
    pg_parameter valid_us;
    if (!arguments.valid_for.empty()) {
        const auto valid = parse_duration(arguments.valid_for, 1s, std::chrono::days{36'500});
        if (!valid) {
            std::fprintf(stderr, "tickd: --valid-for %s\n", valid.error().c_str());
            context.result = exit_code::usage;
            return;
        }
        valid_us = std::to_string(valid->count());
    }
    if (arguments.may_name_tenant && !arguments.tenant.empty()) {
        std::fputs("tickd: who belongs to a tenant speaks for no other\n", stderr);
        context.result = exit_code::usage;
        return;
    }
    auto connection = open_configured(context);
    if (!connection) return;
    pg_parameter tenant;
    if (!arguments.tenant.empty()) {
        tenant = tenant_id_of(*connection, arguments.tenant, context);
        if (!tenant) return;
    }
    std::string producers;
    for (const std::string& each : arguments.producers) {
        producers += (producers.empty() ? "" : "\n") + each;
    }
    const std::string secret = new_token_secret();
    std::string hash;
    for (const auto byte : hash_of_token(secret)) hash += std::format("{:02x}", byte);
    const auto added = connection->query(
        "SELECT tickd.add_token($1, decode($2, 'hex'), $3, coalesce(string_to_array("
        "nullif($4, ''), E'\\n'), '{}'), $5, clock_timestamp() + $6::bigint * interval '1 us')",
        {arguments.name, hash, tenant, producers, arguments.may_name_tenant ? "true" : "false",
         valid_us});
    if (!added) {
        context.result = explain_tenants(added.error());
        return;
    }
    std::fputs("tickd: keep this where only the sender can read it: it is not shown again\n",
               stderr);
    std::printf("%s\n", secret.c_str());
}

void list(command_context& context, bool json) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto rows = connection->query(
        "SELECT token_id, name, state, CASE WHEN may_name_tenant THEN '(any)' ELSE tenant END,"
        " CASE WHEN producers = '' THEN '*' ELSE producers END, created_at::timestamptz(0),"
        " expires_at::timestamptz(0) FROM tickd.list_tokens()");
    if (!rows) {
        context.result = explain_tenants(rows.error());
        return;
    }
    print_rows(*rows, {"token_id", "name", "state", "tenant", "producers", "created", "expires"},
               json);
}

void revoke(command_context& context, const std::string& token) {
    auto connection = open_configured(context);
    if (!connection) return;
    const auto gone = connection->query("SELECT tickd.revoke_token($1)", {token});
    if (!gone) {
        context.result = explain_tenants(gone.error());
    } else if (!gone->is_true(0, 0)) {
        std::fputs("tickd: no good token has this name or id\n", stderr);
        context.result = exit_code::data;
    }
}

}  // namespace

void add_tenant_token_commands(CLI::App& group, command_context& context) {
    CLI::App* const tokens =
        group.add_subcommand("token", "Makes tokens for senders, lists and revokes them");
    tokens->require_subcommand(1);

    CLI::App* const making =
        tokens->add_subcommand("new", "Makes a token and prints its secret, once");
    const auto arguments = std::make_shared<token_arguments>();
    making->add_option("NAME", arguments->name, "Its name")->required()->type_name("");
    making
        ->add_option("--tenant", arguments->tenant,
                     "Whose records it sends, by name or id; default: shared ticks")
        ->type_name("TENANT");
    making
        ->add_option(
            "--producer", arguments->producers,
            "A producer it may speak for, * for any characters; may be repeated; default: any")
        ->type_name("NAME");
    making->add_flag("--may-name-tenant", arguments->may_name_tenant,
                     "Its records may say whose they are: only for trusted senders");
    making
        ->add_option("--valid-for", arguments->valid_for,
                     "As 90d or 12h; default: until it is revoked")
        ->type_name("DURATION");
    making->callback([arguments, &context] { make(context, *arguments); });

    CLI::App* const listing = tokens->add_subcommand("list", "Lists tokens, without their secrets");
    const CLI::Option* const json = listing->add_flag("--json", "A JSON array instead");
    listing->callback([json, &context] { list(context, json->count() > 0); });

    CLI::App* const revoking = tokens->add_subcommand(
        "revoke", "Ends a token and the sessions that were opened with it, at once");
    const auto token = std::make_shared<std::string>();
    revoking->add_option("TOKEN", *token, "Its name or id")->required()->type_name("");
    revoking->callback([token, &context] { revoke(context, *token); });
}

}  // namespace tickd
