// The YAML file as settings of a config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace tickd {

// Where a listener stands in its file, for problems that only show later.
struct listener_lines {
    int address = 0;  // line, from 1, of its address, or of the listener when it has none
    int name = 0;
    bool has_address = false;
};

struct yaml_reading {
    std::vector<config_problem> problems;   // in the order of the file
    std::vector<listener_lines> listeners;  // one for each of value.listeners
    std::vector<int> identities;            // the line of each of value.identities
    bool has_listeners = false;             // the file has a list of listeners, empty or not
};

// Sets in `value` what `text` says. `file` is only named in problems. Never throws on bad input.
[[nodiscard]] yaml_reading read_yaml(std::string_view text, const std::string& file, config& value);

}  // namespace tickd
