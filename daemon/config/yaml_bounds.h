// Whether a text is one YAML document of a bounded size, found out before anything is built of it.
//
// yaml-cpp 0.8 stops moving at a comma outside brackets, and its LoadAll then takes the text for
// documents without end: one stray character in a configuration would fill the memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace tickd {

// What is wrong, or nothing. `file` is only named in problems. Throws YAML::Exception for a text
// that is not YAML.
[[nodiscard]] std::vector<config_problem> check_yaml_bounds(const std::string& text,
                                                            const std::string& file);

}  // namespace tickd
