// tickd: the daemon and its operator's tool in one. Reads the command line, runs what it asks for
// and ends with a code of sysexits.h.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "daemon/commands/command_line.h"
#include "daemon/config/did_you_mean.h"
#include "daemon/exit_code.h"
#include "daemon/log.h"

namespace {

using tickd::exit_code;

// The innermost command that the user named.
const CLI::App* innermost(const CLI::App* app) {
    for (;;) {
        const auto named = app->get_subcommands();
        if (named.empty()) return app;
        app = named.front();
    }
}

std::string path_of(const CLI::App* app) {
    const CLI::App* const parent = app->get_parent();
    return parent == nullptr ? app->get_name() : path_of(parent) + ' ' + app->get_name();
}

// The names below `app` of every command, for suggestions.
std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
    }
    return names;
}

// What is wrong and where help is; a command that is only a group of others shows its help.
exit_code explain(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* const where = innermost(&app);
    const std::string path = path_of(where);
    const std::vector<std::string> below = command_names(*where);
    const std::vector<std::string> unused = app.remaining(true);
    const bool lacks_command =
        !below.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (lacks_command && unused.empty()) {
        const CLI::App* const parent = where->get_parent();
        std::fputs(where->help(parent == nullptr ? "" : path_of(parent)).c_str(), stderr);
        return exit_code::usage;
    }
    std::string what = error.what();
    if (lacks_command) {
        what = "no such command or option: " + unused.front();
        const std::string meant = tickd::did_you_mean(unused.front(), below);
        if (!meant.empty()) what += "; did you mean " + meant + "?";
    }
    std::fprintf(stderr, "%s: %s\nSee `%s --help`.\n", path.c_str(), what.c_str(), path.c_str());
    return exit_code::usage;
}

exit_code run(int argc, char** argv) {
    CLI::App app{tickd::program_description, "tickd"};
    tickd::command_context context;
    tickd::add_command_line(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        // --help: printed to stdout.
        return app.exit(wanted) == 0 ? exit_code::ok : exit_code::internal;
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    return context.result;
}

}  // namespace

int main(int argc, char** argv) {
    // A peer or a pipe that goes away shows as an error of the write that meets it.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        tickd::start_log("info", "auto");
        return static_cast<int>(run(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tickd: a fault of tickd's own: %s\n", error.what());
        return static_cast<int>(exit_code::internal);
    }
}
