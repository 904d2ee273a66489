// Whether a text is one YAML document of a bounded size, found out before anything is built of it.
//
// yaml-cpp 0.8 stops moving at a comma outside brackets, and its LoadAll then takes the text for
// documents without end: one stray character in a configuration would fill the memory.
#pragma once

#include <yaml-cpp/mark.h>

#include <optional>
#include <string>

namespace tickd {

struct yaml_fault {
    YAML::Mark at;
    std::string message;
};

// Throws YAML::Exception for a text that is not YAML.
[[nodiscard]] std::optional<yaml_fault> check_yaml_bounds(const std::string& text);

}  // namespace tickd
