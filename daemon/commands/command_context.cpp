#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/commands/commands.h"

namespace tickd {

namespace {

constexpr const char* default_config_file = "/etc/tickd/tickd.yaml";

}  // namespace

loaded_config command_context::read() const {
    config_source source{.file = config_file, .environment = tickd_environment()};
    if (source.file.empty()) {
        std::error_code error;
        const auto status = std::filesystem::status(default_config_file, error);
        // One that is there and cannot be reached is a problem to report, not to pass over.
        if (std::filesystem::exists(status) || error == std::errc::permission_denied) {
            source.file = default_config_file;
        }
    }
    return load_config(source);
}

std::optional<config> command_context::load() {
    loaded_config loaded = read();
    if (loaded.problems.empty()) return std::move(loaded.value);
    std::fputs(to_text(loaded.problems).c_str(), stderr);
    result = exit_code::config;
    return std::nullopt;
}

}  // namespace tickd
