// `tickd deadletter replay`.
#include <unistd.h>

#include <cstdio>
#include <format>
#include <limits>

#include "daemon/commands/deadletter_commands.h"
#include "daemon/deadletter/letter_replay.h"
#include "daemon/log.h"
#include "daemon/progress_bar.h"
#include "daemon/send/stop_signal.h"

namespace tickd {

namespace {

struct replay_arguments {
    filter_arguments filter;
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    bool all = false;
};

exit_code code_of(const replay_report& report) {
    switch (report.end) {
        case replay_end::complete: return report.left() == 0 ? exit_code::ok : exit_code::data;
        case replay_end::interrupted:
        case replay_end::busy:
        case replay_end::superseded: return exit_code::try_again;
        case replay_end::gave_up: return exit_code::unavailable;
        case replay_end::failed:
            return report.sqlstate == "42501" ? exit_code::not_allowed : exit_code::internal;
    }
    return exit_code::internal;
}

void print(const replay_report& report) {
    std::printf("replayed %s (%s ticks, %s activity events)\n",
                format_count(report.ticks + report.events).c_str(),
                format_count(report.ticks).c_str(), format_count(report.events).c_str());
    for (const auto& [verdict, letters] : report.refused) {
        std::printf("still refused %s: %s\n", format_count(letters).c_str(), verdict.c_str());
    }
    if (report.cut != 0) {
        std::printf("cannot be replayed %s: only their beginning was kept\n",
                    format_count(report.cut).c_str());
    }
}

exit_code replay(const config& settings, pg_connection& connection, const letter_filter& filter,
                 std::uint64_t limit) {
    stop_signal stop;
    progress_bar bar(STDERR_FILENO, true, "letters");
    bar.set_label("replaying");
    letter_replay job(settings, connection,
                      {.progress =
                           [&](std::uint64_t done, std::uint64_t total) {
                               bar.update({.records = done, .done = done, .total = total});
                           },
                       .stopped = [&] { return stop.pending(); }});
    const replay_report report = job.run(filter, limit);
    static_cast<void>(stop.take());
    if (report.end == replay_end::complete) {
        bar.finish("replay complete");
    } else {
        bar.finish("replay ended early: " + printable(report.detail));
        std::fputs("tickd: what is not replayed still waits; run it again\n", stderr);
    }
    if (report.sqlstate == "42501") {
        std::fputs("tickd: dead letters are tickd_operator's business: log in as that role\n",
                   stderr);
    }
    print(report);
    return code_of(report);
}

}  // namespace

void add_deadletter_replay_command(CLI::App& group, command_context& context) {
    CLI::App* const command = group.add_subcommand(
        "replay",
        "Sends dead letters through parser and database again, each once, under today's settings");
    const auto arguments = std::make_shared<replay_arguments>();
    add_filter_options(*command, arguments->filter);
    command->add_option("--limit", arguments->limit, "At most so many, the oldest first")
        ->check(
            CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()).description(""))
        ->type_name("N");
    command->add_flag("--all", arguments->all, "Every one that waits");
    command->callback([arguments, &context] {
        const auto filter = filter_of(arguments->filter, context);
        if (!filter) return;
        if (filter->selects() == arguments->all) {
            std::fputs("tickd: replay takes either filters or --all\n", stderr);
            context.result = exit_code::usage;
            return;
        }
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (!connection) return;
        context.result = replay(*settings, *connection, *filter, arguments->limit);
    });
}

}  // namespace tickd
