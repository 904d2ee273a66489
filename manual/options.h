// What the man page and the completion want to know of an option of CLI11.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace manual {

// The commands below `app`, in the order of its help.
[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& app);

// Its options without --help, which every command has.
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& app);
[[nodiscard]] std::vector<const CLI::Option*> positionals_of(const CLI::App& app);

// `tickd db migrate`.
[[nodiscard]] std::string path_of(const CLI::App& app);

// `--to`; -x and --xyz both, when an option has them.
[[nodiscard]] std::vector<std::string> names_of(const CLI::Option& option);

[[nodiscard]] bool takes_value(const CLI::Option& option);

// `FILE`, `N`; without the choices and ranges that CLI11 appends.
[[nodiscard]] std::string value_name(const CLI::Option& option);

// The words it takes, when they are few enough to be listed; else nothing.
[[nodiscard]] std::vector<std::string> choices_of(const CLI::Option& option);

[[nodiscard]] bool is_file(const CLI::Option& option);

}  // namespace manual
