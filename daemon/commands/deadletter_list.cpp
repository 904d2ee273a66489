// `tickd deadletter list`.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "daemon/commands/deadletter_commands.h"
#include "daemon/deadletter/letter_store.h"
#include "daemon/deadletter/letter_text.h"
#include "daemon/progress_bar.h"

namespace tickd {

namespace {

struct list_arguments {
    filter_arguments filter;
    std::uint64_t limit = 50;
    bool json = false;
};

// Of the terminal, or enough for a file.
std::size_t output_columns() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) return size.ws_col;
    return 120;
}

exit_code list_json(pg_connection& connection, const letter_filter& filter, std::uint64_t limit) {
    letter_page page{.order = letter_order::newest_first,
                     .behind = std::nullopt,
                     .letters_max = 0,
                     .raw_bytes_max = std::nullopt};
    constexpr std::uint64_t at_a_time = 100;  // lines may be megabytes long
    while (limit > 0) {
        page.letters_max = static_cast<std::size_t>(std::min(limit, at_a_time));
        const auto letters = read_letters(connection, filter, page);
        if (!letters) return explain_letters(letters.error());
        if (letters->empty()) break;
        for (const dead_letter& letter : *letters) std::puts(letter_json(letter).c_str());
        limit -= letters->size();
        page.behind = letters->back().id;
    }
    return exit_code::ok;
}

exit_code list_table(pg_connection& connection, const letter_filter& filter, std::uint64_t limit) {
    const std::size_t columns = output_columns();
    const auto all = count_letters(connection, filter);
    if (!all) return explain_letters(all.error());
    const auto letters = read_letters(connection, filter,
                                      {.order = letter_order::newest_first,
                                       .behind = std::nullopt,
                                       .letters_max = static_cast<std::size_t>(limit),
                                       .raw_bytes_max = columns});
    if (!letters) return explain_letters(letters.error());
    if (letters->empty()) {
        std::fputs("no dead letters\n", stderr);
        return exit_code::ok;
    }
    std::fputs(letter_table(*letters, columns).c_str(), stdout);
    if (letters->size() < *all) {
        std::fprintf(stderr, "the newest %s of %s; --limit shows more\n",
                     format_count(letters->size()).c_str(), format_count(*all).c_str());
    }
    return exit_code::ok;
}

}  // namespace

void add_deadletter_list_command(CLI::App& group, command_context& context) {
    CLI::App* const list = group.add_subcommand("list", "The newest dead letters, a line each");
    const auto arguments = std::make_shared<list_arguments>();
    add_filter_options(*list, arguments->filter);
    add_state_option(*list, arguments->filter, "waiting");
    list->add_option("--limit", arguments->limit, "At most so many")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    list->add_flag("--json", arguments->json, "One JSON object a line, whole records");
    list->callback([arguments, &context] {
        const auto filter = filter_of(arguments->filter, context);
        if (!filter) return;
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (!connection) return;
        context.result = arguments->json ? list_json(*connection, *filter, arguments->limit)
                                         : list_table(*connection, *filter, arguments->limit);
    });
}

}  // namespace tickd
