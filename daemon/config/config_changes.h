// What a configuration read anew changes in a running daemon, and what it cannot.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace tickd {

struct config_changes {
    config value;                      // what is in effect afterwards
    std::vector<std::string> applied;  // names of the settings that changed
    std::vector<std::string> waiting;  // those that would have, and need a restart
};

// `now` with those settings of `next` that a reload applies. Listeners are matched by their names.
[[nodiscard]] config_changes changes_between(const config& now, const config& next);

}  // namespace tickd
