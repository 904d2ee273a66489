// `tickd config check` and `tickd config show`.
#include <cstdio>

#include "daemon/commands/commands.h"

namespace tickd {

void add_config_command(CLI::App& app, command_context& context) {
    CLI::App* const group =
        app.add_subcommand("config", "Checks the configuration, or prints what is in effect");
    group->require_subcommand(1);

    CLI::App* const check = group->add_subcommand(
        "check", "Prints ok, or everything that is wrong with file and line (exit code 78)");
    check->callback([&context] {
        if (context.load()) std::puts("ok");
    });

    CLI::App* const show = group->add_subcommand(
        "show", "Prints every setting as YAML: file, environment and defaults; passwords masked");
    const CLI::Option* const comments =
        show->add_flag("--comments", "Says above each setting what it is for");
    show->callback([&context, comments] {
        const auto loaded = context.load();
        if (!loaded) return;
        const auto wanted = comments->count() > 0 ? yaml_comments::one_each : yaml_comments::none;
        std::fputs(to_yaml(*loaded, wanted).c_str(), stdout);
    });
}

}  // namespace tickd
