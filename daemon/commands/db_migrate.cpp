// `tickd db migrate`.
#include <cstdio>

#include "daemon/commands/db_commands.h"
#include "daemon/db/migrator.h"

namespace tickd {

namespace {

// Says what would run and whether it would be refused; takes no lock and changes nothing.
exit_code show_plan(pg_connection& connection) {
    const auto applied = read_applied(connection);
    if (!applied) {
        std::fprintf(stderr, "tickd: %s\n", to_text(applied.error()).c_str());
        return exit_code_of(applied.error());
    }
    const migration_plan plan = plan_migrations(embedded_migrations(), *applied);
    for (const std::string& problem : plan.problems) {
        std::fprintf(stderr, "tickd: %s\n", problem.c_str());
    }
    if (!plan.problems.empty()) return exit_code::check_failed;
    for (const embedded_migration& file : plan.pending) {
        std::printf("would apply  %s\n", label_of(file.number, file.name).c_str());
    }
    if (plan.pending.empty()) std::puts("nothing to do");
    return exit_code::ok;
}

exit_code run_plan(pg_connection& connection) {
    const auto ran = migrate(connection, embedded_migrations(), [](const embedded_migration& file) {
        std::printf("applied  %s\n", label_of(file.number, file.name).c_str());
        std::fflush(stdout);
    });
    if (!ran) {
        std::fprintf(stderr, "tickd: %s\n", to_text(ran.error()).c_str());
        return ran.error().problems.empty() ? exit_code_of(ran.error().error)
                                            : exit_code::check_failed;
    }
    if (*ran == 0) std::puts("nothing to do");
    return exit_code::ok;
}

}  // namespace

void add_db_migrate_command(CLI::App& db, command_context& context) {
    CLI::App* const migrate_command = db.add_subcommand(
        "migrate", "Brings the schema up to this tickd; safe to run again, and from two places");
    const CLI::Option* const dry_run =
        migrate_command->add_flag("--dry-run", "Prints what would be applied, and changes nothing");
    migrate_command->callback([&context, dry_run] {
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (!connection) return;
        // For 0012_activity_batches.sql, which names the log once and for ever.
        if (const auto named = connection->query("SELECT set_config('tickd.origin', $1, false)",
                                                 {settings->activity.origin});
            !named) {
            std::fprintf(stderr, "tickd: %s\n", to_text(named.error()).c_str());
            context.result = exit_code_of(named.error());
            return;
        }
        context.result = dry_run->count() > 0 ? show_plan(*connection) : run_plan(*connection);
    });
}

}  // namespace tickd
