#include "daemon/serve/reload.h"

#include <format>
#include <string_view>

#include "daemon/config/config_changes.h"
#include "daemon/log.h"

namespace tickd {

namespace {

[[nodiscard]] std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& each : names) text += (text.empty() ? "" : ", ") + each;
    return text;
}

}  // namespace

bool reloader::reload() {
    loaded_config loaded = reread_();
    std::vector<std::string> wrong;
    for (const config_problem& each : loaded.problems) {
        std::string line = to_text(std::vector{each});
        line.pop_back();
        wrong.push_back(std::move(line));
    }
    std::vector<std::function<void()>> swaps;
    config_changes changes;
    if (wrong.empty()) {
        changes = changes_between(now_, loaded.value);
        for (const reload_part& part : parts_) {
            auto ready = part.prepare(changes.value);
            if (ready) {
                swaps.push_back(std::move(*ready));
            } else {
                wrong.push_back(part.name + ": " + ready.error());
            }
        }
    }
    if (!wrong.empty()) {
        for (const std::string& each : wrong) spdlog::error("reload: {}", each);
        spdlog::error("reload: nothing was changed");
        return false;
    }
    now_ = std::move(changes.value);
    for (const auto& swap : swaps) swap();
    if (!changes.waiting.empty()) {
        spdlog::warn("reload: needs a restart, and stays as it was: {}", joined(changes.waiting));
    }
    spdlog::info("reload: changed: {}",
                 changes.applied.empty() ? "nothing" : joined(changes.applied));
    return true;
}

}  // namespace tickd
