// `tickd db rebuild-segments`.
#include <unistd.h>

#include <cstdio>
#include <format>
#include <limits>
#include <memory>

#include "daemon/commands/db_commands.h"
#include "daemon/compact/segment_rebuild.h"
#include "daemon/progress_bar.h"
#include "daemon/utc_day.h"

namespace tickd {

namespace {

struct arguments {
    std::string from, to;
    bool no_progress = false;
};

std::optional<std::int64_t> day_or(const std::string& text, std::int64_t otherwise) {
    return text.empty() ? otherwise : parse_date(text);
}

void run(command_context& context, const arguments& given) {
    const auto from = day_or(given.from, std::numeric_limits<std::int32_t>::min());
    const auto to = day_or(given.to, std::numeric_limits<std::int32_t>::max());
    if (!from || !to) {
        std::fprintf(stderr, "tickd: --from and --to take a day such as 2026-01-31\n");
        context.result = exit_code::usage;
        return;
    }
    const auto settings = context.load();
    if (!settings) return;
    auto connection = open_database(*settings, context);
    if (!connection) return;
    const auto failed = [&](const pg_error& error) {
        std::fprintf(stderr, "tickd: %s\n", to_text(error).c_str());
        context.result = exit_code_of(error);
    };
    const auto days = days_with_ticks(*connection, *from, *to);
    if (!days) return failed(days.error());
    progress_bar bar(STDERR_FILENO, !given.no_progress, "ticks");
    rebuilt all;
    for (std::size_t i = 0; i < days->size(); ++i) {
        bar.set_label(to_date((*days)[i]));
        // A day a transaction: what is done stays done.
        auto done = connection->exec("BEGIN");
        std::expected<rebuilt, pg_error> made;
        if (done) {
            made = rebuild_day(*connection, (*days)[i], [&](std::uint64_t ticks) {
                bar.update({.records = all.ticks + ticks, .done = i, .total = days->size()});
            });
            done = made ? connection->exec("COMMIT") : std::unexpected(made.error());
        }
        if (!done) return failed(done.error());
        all.ticks += made->ticks;
        all.segments += made->segments;
        all.candles += made->candles;
    }
    bar.finish(std::format("{} days: {} ticks in {} segments, {} candles",
                           format_count(days->size()), format_count(all.ticks),
                           format_count(all.segments), format_count(all.candles)));
}

}  // namespace

void add_db_rebuild_command(CLI::App& db, command_context& context) {
    CLI::App* const rebuild = db.add_subcommand(
        "rebuild-segments",
        "Makes segments and candles anew from rows, a day at a time; writers of that day wait");
    const auto given = std::make_shared<arguments>();
    rebuild->add_option("--from", given->from, "First day (UTC); default: the first there is")
        ->type_name("YYYY-MM-DD");
    rebuild->add_option("--to", given->to, "Last day; default: the last there is")
        ->type_name("YYYY-MM-DD");
    rebuild->add_flag("--no-progress", given->no_progress, "No progress bar");
    rebuild->callback([&context, given] { run(context, *given); });
}

}  // namespace tickd
