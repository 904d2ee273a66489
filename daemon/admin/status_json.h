// The status as one JSON object on one line: what /status.json answers and each event of /events
// holds. docs/operations.md says what its members mean.
#pragma once

#include <string>

#include "daemon/admin/status_figures.h"

namespace tickd {

[[nodiscard]] std::string status_json(const status_figures& of);

}  // namespace tickd
