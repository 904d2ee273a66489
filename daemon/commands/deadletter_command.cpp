// `tickd deadletter`: the refused records, kept.
#include <cstdio>
#include <map>

#include "daemon/clock.h"
#include "daemon/commands/deadletter_commands.h"
#include "daemon/log.h"
#include "ingest/verdict.h"

namespace tickd {

void add_deadletter_command(CLI::App& app, command_context& context) {
    CLI::App* const group =
        app.add_subcommand("deadletter", "Lists refused records, shows, replays and purges them");
    group->require_subcommand(1);
    add_deadletter_list_command(*group, context);
    add_deadletter_show_command(*group, context);
    add_deadletter_replay_command(*group, context);
    add_deadletter_purge_command(*group, context);
}

void add_filter_options(CLI::App& command, filter_arguments& arguments) {
    command.add_option("--id", arguments.ids, "Only this one; may be repeated")->type_name("N");
    command
        .add_option("--verdict", arguments.verdicts,
                    "Only those refused for this reason; may be repeated")
        ->check(
            [](const std::string& word) {
                return ingest::verdict_from(word) ? std::string()
                                                  : "no such verdict: " + printable(word);
            },
            "")
        ->type_name("VERDICT");
    command
        .add_option("--producer", arguments.producers,
                    "Only those of this producer; may be repeated")
        ->type_name("NAME");
    command
        .add_option("--since", arguments.since,
                    "Only those received from then on: RFC 3339, or an age such as 2h")
        ->type_name("TIME");
    command.add_option("--until", arguments.until, "Only those received before that")
        ->type_name("TIME");
}

void add_state_option(CLI::App& command, filter_arguments& arguments, std::string initially) {
    arguments.state = std::move(initially);
    command
        .add_option("--state", arguments.state,
                    "waiting: not replayed; replayed: those that went in; any")
        ->check(CLI::IsMember({"waiting", "replayed", "any"}))
        ->capture_default_str();
}

std::optional<letter_filter> filter_of(const filter_arguments& arguments,
                                       command_context& context) {
    letter_filter filter;
    filter.ids = arguments.ids;
    filter.verdicts = arguments.verdicts;
    filter.producers = arguments.producers;
    if (arguments.state == "replayed") filter.state = letter_state::replayed;
    if (arguments.state == "any") filter.state = letter_state::any;
    const std::int64_t now_us = unix_now_us();
    const auto read = [&](const char* option, const std::string& text,
                          std::optional<std::int64_t>& moment) {
        if (text.empty()) return true;
        const auto parsed = parse_moment(text, now_us);
        if (!parsed) {
            std::fprintf(stderr, "tickd: %s %s\n", option, parsed.error().c_str());
            context.result = exit_code::usage;
            return false;
        }
        moment = *parsed;
        return true;
    };
    if (!read("--since", arguments.since, filter.since_us)) return std::nullopt;
    if (!read("--until", arguments.until, filter.until_us)) return std::nullopt;
    return filter;
}

exit_code explain_letters(const pg_error& error) {
    std::fprintf(stderr, "tickd: %s\n", printable(to_text(error)).c_str());
    if (error.sqlstate == "42501") {
        std::fputs("tickd: dead letters are tickd_operator's business: log in as that role\n",
                   stderr);
    } else if (error.sqlstate == "42P01" || error.sqlstate == "3F000" ||
               error.sqlstate == "42883") {
        std::fputs("tickd: run `tickd db migrate` first\n", stderr);
        return exit_code::unavailable;
    }
    return exit_code_of(error);
}

}  // namespace tickd
