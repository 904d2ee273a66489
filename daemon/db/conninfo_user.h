// Threads of the daemon that connect as a role of their own.
#pragma once

#include <string>

namespace tickd {

// The same server and database as `conninfo` (a string or URI), as another role: without its
// password, which is the other role's. One that libpq cannot read comes back as it is.
[[nodiscard]] std::string with_user(const std::string& conninfo, const std::string& user);

}  // namespace tickd
