// `tickd deadletter show`.
#include <algorithm>
#include <cstdio>

#include "daemon/commands/deadletter_commands.h"
#include "daemon/deadletter/letter_store.h"
#include "daemon/deadletter/letter_text.h"

namespace tickd {

namespace {

struct show_arguments {
    std::vector<std::int64_t> ids;
    bool json = false;
};

exit_code show(pg_connection& connection, const show_arguments& arguments) {
    exit_code result = exit_code::ok;
    for (const std::int64_t id : arguments.ids) {
        letter_filter filter;
        filter.ids = {id};
        filter.state = letter_state::any;
        const auto letters = read_letters(connection, filter, {});
        if (!letters) return explain_letters(letters.error());
        if (letters->empty()) {
            std::fprintf(stderr, "tickd: there is no dead letter %lld\n",
                         static_cast<long long>(id));
            result = exit_code::no_input;
            continue;
        }
        if (arguments.json) {
            std::puts(letter_json(letters->front()).c_str());
        } else {
            if (id != arguments.ids.front()) std::puts("");
            std::fputs(letter_sheet(letters->front()).c_str(), stdout);
        }
    }
    return result;
}

}  // namespace

void add_deadletter_show_command(CLI::App& group, command_context& context) {
    CLI::App* const command =
        group.add_subcommand("show", "Everything about one, its record with all its bytes");
    const auto arguments = std::make_shared<show_arguments>();
    command->add_option("ID", arguments->ids, "Numbers, as `list` prints them")
        ->required()
        ->type_name("");
    command->add_flag("--json", arguments->json, "One JSON object a line");
    command->callback([arguments, &context] {
        const auto settings = context.load();
        if (!settings) return;
        auto connection = open_database(*settings, context);
        if (connection) context.result = show(*connection, *arguments);
    });
}

}  // namespace tickd
