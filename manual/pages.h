// What is made of the command line and of the table of settings: two man pages and a completion.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace manual {

// tickd(1). `operations` is the text of docs/operations.md, which has exit codes and signals.
[[nodiscard]] std::string command_page(const CLI::App& app, std::string_view version,
                                       std::string_view operations);

// tickd.yaml(5). `configuration` is docs/configuration.md, `example` a configuration to show.
[[nodiscard]] std::string settings_page(std::string_view version, std::string_view configuration,
                                        std::string_view example);

// A script for bash that completes commands, options, listed words and file names. It needs
// nothing but bash, and never runs tickd.
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace manual
