// `tickd db retain`.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "daemon/commands/db_commands.h"
#include "daemon/config/setting_value.h"

namespace tickd {

namespace {

constexpr const char* plan_statement =
    "SELECT table_name, chunk::text, range_start::date, range_end::date,"
    " pg_size_pretty(pg_total_relation_size(chunk))"
    " FROM tickd.retention_plan(now() - $1::interval)";
constexpr const char* drop_statement =
    "SELECT table_name, chunk, range_start::date, range_end::date, ''"
    " FROM tickd.retain(now() - $1::interval)";

}  // namespace

void add_db_retain_command(CLI::App& db, command_context& context) {
    CLI::App* const retain = db.add_subcommand(
        "retain", "Drops whole days of ticks and of their segments; candles stay");
    auto older_than = std::make_shared<std::string>();
    retain->add_option("--older-than", *older_than, "Age of what is dropped: 90d, 36h")->required();
    const CLI::Option* const dry_run =
        retain->add_flag("--dry-run", "Prints what would be dropped, and changes nothing");
    retain->callback([&context, older_than, dry_run] {
        using namespace std::chrono_literals;
        const auto age = parse_duration(*older_than, 1s, std::chrono::days{36'500});
        if (!age) {
            std::fprintf(stderr, "tickd: --older-than: %s\n", age.error().c_str());
            context.result = exit_code::usage;
            return;
        }
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (!connection) return;
        const bool only_plan = dry_run->count() > 0;
        const auto rows = connection->query(only_plan ? plan_statement : drop_statement,
                                            {std::to_string(age->count()) + " microseconds"});
        if (!rows) {
            std::fprintf(stderr, "tickd: %s\n", to_text(rows.error()).c_str());
            context.result = exit_code_of(rows.error());
            return;
        }
        for (int row = 0; row < rows->size(); ++row) {
            std::printf(
                "%s  %-16s  %s to %s  %s  %s\n", only_plan ? "would drop" : "dropped",
                std::string(rows->at(row, 0)).c_str(), std::string(rows->at(row, 2)).c_str(),
                std::string(rows->at(row, 3)).c_str(), std::string(rows->at(row, 1)).c_str(),
                std::string(rows->at(row, 4)).c_str());
        }
        if (rows->size() == 0) std::puts("nothing is that old");
    });
}

}  // namespace tickd
