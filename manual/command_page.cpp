#include <format>
#include <string>

#include "daemon/commands/command_line.h"
#include "manual/markdown.h"
#include "manual/options.h"
#include "manual/pages.h"
#include "manual/roff.h"

namespace manual {

namespace {

std::string words_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& each : words) {
        if (!text.empty()) text += ", ";
        text += bold(each);
    }
    return text;
}

std::string option_item(const CLI::Option& option) {
    std::string term = words_of(names_of(option));
    if (option.get_positional()) term = italic(option.get_name(true));
    if (!option.get_positional() && takes_value(option)) {
        term += ' ' + italic(value_name(option));
    }
    std::string text = roff(option.get_description());
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (const auto choices = choices_of(option); !choices.empty()) {
        add("one of " + words_of(choices));
    }
    if (!option.get_default_str().empty()) add("default: " + bold(option.get_default_str()));
    if (option.get_required()) add("must be given");
    for (const CLI::Option* each : option.get_needs()) add("needs " + bold(each->get_name()));
    if (!option.get_envname().empty()) add("variable: " + bold(option.get_envname()));
    return item(term, text + '.');
}

std::string synopsis(const CLI::App& app) {
    std::string line = bold(path_of(app));
    for (const CLI::Option* each : positionals_of(app)) {
        const std::string name =
            italic(each->get_name(true)) + (each->get_items_expected_max() > 1 ? "..." : "");
        line += each->get_required() ? ' ' + name : " [" + name + ']';
    }
    if (!options_of(app).empty()) line += " [" + italic("OPTION") + "...]";
    return line;
}

// A command, and those below it.
void add_command(const CLI::App& app, std::string& page) {
    page += std::format(".SS {}\n", synopsis(app));
    page += roff(app.get_description()) + ".\n";
    for (const CLI::Option* each : positionals_of(app)) page += option_item(*each);
    for (const CLI::Option* each : options_of(app)) page += option_item(*each);
    // A footer is inherited: it is said where it is new.
    if (const std::string more = app.get_footer(); more != app.get_parent()->get_footer()) {
        page += ".PP\n" + roff(more) + '\n';
    }
    for (const CLI::App* each : commands_of(app)) add_command(*each, page);
}

std::string exit_codes(std::string_view operations) {
    std::string text;
    for (const table_row& row : rows_under(operations, "Exit codes")) {
        text += item(bold(row.at(0)), roff_of_markdown(row.at(1) + ": " + row.at(2) + '.'));
    }
    return text;
}

std::string signals(std::string_view operations) {
    std::string text;
    for (const table_row& row : rows_under(operations, "Signals")) {
        text += item(bold(row.at(0)), roff_of_markdown(row.at(1) + '.'));
    }
    return text;
}

constexpr std::string_view files = R"(.TP
.I /etc/tickd/tickd.yaml
The configuration, unless
.B \-\-config
or
.B TICKD_CONFIG
names another.
.TP
.I /var/lib/tickd
What the daemon keeps: the spool, and what the notary has signed.
.TP
.I /usr/share/doc/tickd/docs
One page for each contract; of them
.I operations.md
says what to do when something is wrong.
)";

}  // namespace

std::string command_page(const CLI::App& app, std::string_view version,
                         std::string_view operations) {
    std::string page = title("tickd", 1, version);
    page += ".SH NAME\ntickd \\- market ticks and activity events into TimescaleDB\n";
    page += std::format(".SH SYNOPSIS\n{} [{} {}] {} [{}...]\n", bold("tickd"), bold("--config"),
                        italic("FILE"), italic("COMMAND"), italic("ARGUMENT"));
    page += ".SH DESCRIPTION\n" + roff(tickd::program_description) + "\n.PP\n" +
            roff(app.get_footer()) +
            " Results go to stdout; progress, complaints and the log go to stderr.\n";
    page += ".SH OPTIONS\n";
    for (const CLI::Option* each : options_of(app)) page += option_item(*each);
    page += item(bold("--help"), "Says what a command takes.");
    page += ".SH COMMANDS\n";
    for (const CLI::App* each : commands_of(app)) add_command(*each, page);
    page += ".SH EXIT STATUS\n" + exit_codes(operations);
    page += ".SH SIGNALS\n" + signals(operations);
    page += ".SH ENVIRONMENT\nEvery setting has a variable, see\n.BR tickd.yaml (5).\n";
    page += ".SH FILES\n" + std::string(files);
    page += ".SH SEE ALSO\n.BR tickd.yaml (5),\n.BR psql (1),\n.BR systemctl (1)\n";
    return page;
}

}  // namespace manual
