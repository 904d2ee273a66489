// Where a result comes from: the machine, the software on it, how ours was compiled.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

// Names and texts, in the order in which they are shown.
using facts = std::vector<std::pair<std::string, std::string>>;

// Of this machine and this build. `folder`: where the database's files are; empty: there is none.
[[nodiscard]] facts environment_facts(const std::string& folder);

}  // namespace bench
