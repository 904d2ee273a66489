// tickd-bench: what tickd does in a second, beside other ways of doing the same.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

#include "bench/commands.h"
#include "daemon/exit_code.h"
#include "daemon/log.h"

namespace {

using tickd::exit_code;

exit_code run(int argc, char** argv) {
    CLI::App app{
        "Measures tickd: side by side with other ways into the same database, in one run, on this\n"
        "machine. Each subcommand starts a private TimescaleDB in a temporary folder; `micro` "
        "needs\n"
        "none.",
        "tickd-bench"};
    bench::command_context context;
    app.require_subcommand(1);
    app.footer("Exit codes are those of sysexits.h; 1: a run lost or doubled rows.");
    bench::add_ingest_command(app, context);
    bench::add_latency_command(app, context);
    bench::add_neighbour_command(app, context);
    bench::add_growth_command(app, context);
    bench::add_activity_command(app, context);
    bench::add_query_command(app, context);
    bench::add_micro_command(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        return app.exit(end) == 0 ? exit_code::ok : exit_code::usage;
    }
    return context.result;
}

}  // namespace

int main(int argc, char** argv) {
    // A peer that goes away shows as an error of the write that meets it.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        tickd::start_log("warn", "auto");
        return static_cast<int>(run(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tickd-bench: %s\n", error.what());
        return static_cast<int>(exit_code::internal);
    }
}
