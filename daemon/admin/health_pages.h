// Whether the daemon is alive, and whether it can do what it is there for.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/admin_page.h"
#include "daemon/admin/observed.h"

namespace tickd {

// Threads that have stopped coming round: reasons to start the process anew. Empty: healthy. To
// wait for an absent database is no such reason.
[[nodiscard]] std::vector<std::string> unhealthy_reasons(
    const std::vector<std::unique_ptr<lane>>& lanes, const serving_state& serving);

// What keeps records from coming in and being committed now; empty: ready.
[[nodiscard]] std::vector<std::string> unready_reasons(const observed& of);

// 200 and `ok`, or 503 and the reasons, one a line.
[[nodiscard]] admin_page health_page(const std::vector<std::string>& reasons);

}  // namespace tickd
