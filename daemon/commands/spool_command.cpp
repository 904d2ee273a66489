// `tickd spool status`: what waits on disk, read without touching it; also while a daemon runs.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "daemon/commands/commands.h"
#include "daemon/spool/spool_status.h"

namespace tickd {

namespace {

void print(const std::vector<spool_status>& all) {
    for (const spool_status& each : all) {
        for (const std::string& line : to_lines(each)) std::puts(line.c_str());
    }
    if (all.empty()) std::puts("no lane has a spool yet");
}

}  // namespace

void add_spool_command(CLI::App& app, command_context& context) {
    CLI::App* const spool =
        app.add_subcommand("spool", "Looks at the blocks that wait on disk for the database");
    spool->require_subcommand(1);
    CLI::App* const status = spool->add_subcommand(
        "status", "What each lane's spool holds; exit code 1 when something in it is damaged");
    const CLI::Option* const json = status->add_flag("--json", "One JSON object instead");
    status->callback([&context, json] {
        const auto settings = context.load();
        if (!settings) return;
        if (settings->spool.folder.empty()) {
            std::puts(json->count() > 0 ? R"({"lanes":[]})"
                                        : "there is no spool: spool.folder is not set");
            return;
        }
        const auto all = read_spools(settings->spool.folder);
        if (!all) {
            std::fprintf(stderr, "tickd: %s: %s\n", settings->spool.folder.c_str(),
                         all.error().c_str());
            context.result = exit_code::no_input;
            return;
        }
        if (json->count() > 0) {
            std::puts(to_json(*all).c_str());
        } else {
            print(*all);
        }
        const bool damage = std::ranges::any_of(*all, &spool_status::damaged);
        context.result = damage ? exit_code::check_failed : exit_code::ok;
    });
}

}  // namespace tickd
