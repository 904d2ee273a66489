// The one table of settings: reading, checking, printing, environment variables, suggestions and
// the page docs/configuration.md all follow from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace tickd {

// When a changed value counts: at SIGHUP, or at the next start.
enum class takes_effect : std::uint8_t { reload, restart };

template <typename Owner>
struct setting {
    std::string_view name;  // dotted from the root; a listener's settings: within the listener
    std::string range;      // `1 to 64`, `auto, human, json`
    std::string_view unit;  // what it counts; empty: nothing
    takes_effect effect;
    std::string_view comment;  // one sentence
    // Sets the member; returns what is wrong with the text, or nothing.
    std::function<std::string(Owner&, std::string_view)> read;
    // The member as read takes it, not yet quoted for YAML. Secrets are masked.
    std::function<std::string(const Owner&)> print;
    // Whether both have the same value, and `to` takes that of `from`: for a reload.
    std::function<bool(const Owner&, const Owner&)> same;
    std::function<void(Owner& to, const Owner& from)> take;
};

// In the order of the file; settings of one section stand together. Made once, any thread.
[[nodiscard]] const std::vector<setting<config>>& settings();
[[nodiscard]] const std::vector<setting<listener_config>>& listener_settings();
[[nodiscard]] const std::vector<setting<identity_config>>& identity_settings();

// TICKD_RECORDS_LINE_BYTES for records.line_bytes.
[[nodiscard]] std::string environment_name(std::string_view setting_name);

// The shorthand that replaces all listeners by one with this address.
inline constexpr std::string_view listen_variable = "TICKD_LISTEN";

}  // namespace tickd
