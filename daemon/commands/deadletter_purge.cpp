// `tickd deadletter purge`.
#include <unistd.h>

#include <cstdio>
#include <format>

#include "daemon/commands/deadletter_commands.h"
#include "daemon/deadletter/letter_store.h"
#include "daemon/progress_bar.h"

namespace tickd {

namespace {

constexpr std::size_t purged_at_a_time = 10'000;

struct purge_arguments {
    filter_arguments filter;
    bool all = false;
    bool yes = false;
};

// Goes by id, so that what comes in meanwhile does not keep it busy for ever.
exit_code purge(pg_connection& connection, const letter_filter& filter, std::uint64_t total) {
    progress_bar bar(STDERR_FILENO, true, "letters");
    bar.set_label("purging");
    letter_page page{.order = letter_order::oldest_first,
                     .behind = std::nullopt,
                     .letters_max = purged_at_a_time,
                     .raw_bytes_max = std::nullopt};
    std::uint64_t looked_at = 0, gone = 0;
    while (looked_at < total) {
        const auto sizes = read_letter_sizes(connection, filter, page);
        if (!sizes) return explain_letters(sizes.error());
        if (sizes->empty()) break;
        std::vector<std::int64_t> ids;
        for (const letter_size& each : *sizes) ids.push_back(each.id);
        const auto purged = purge_letters(connection, ids);
        if (!purged) return explain_letters(purged.error());
        gone += *purged;
        looked_at += ids.size();
        page.behind = ids.back();
        bar.update({.records = looked_at, .done = looked_at, .total = total});
    }
    bar.finish("purge complete");
    std::printf("purged %s\n", format_count(gone).c_str());
    return exit_code::ok;
}

}  // namespace

void add_deadletter_purge_command(CLI::App& group, command_context& context) {
    CLI::App* const command = group.add_subcommand(
        "purge", "Deletes dead letters for good; without --yes only says how many it would be");
    const auto arguments = std::make_shared<purge_arguments>();
    add_filter_options(*command, arguments->filter);
    add_state_option(*command, arguments->filter, "any");
    command->add_flag("--all", arguments->all, "Every one, or every one of that --state");
    command->add_flag("--yes", arguments->yes, "Really delete them");
    command->callback([arguments, &context] {
        const auto filter = filter_of(arguments->filter, context);
        if (!filter) return;
        if (filter->selects() == arguments->all) {
            std::fputs("tickd: purge takes either filters or --all\n", stderr);
            context.result = exit_code::usage;
            return;
        }
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (!connection) return;
        const auto total = count_letters(*connection, *filter);
        if (!total) {
            context.result = explain_letters(total.error());
        } else if (arguments->yes) {
            context.result = purge(*connection, *filter, *total);
        } else {
            std::fprintf(stderr, "tickd: would delete %s dead letters; add --yes to do it\n",
                         format_count(*total).c_str());
            context.result = exit_code::usage;
        }
    });
}

}  // namespace tickd
