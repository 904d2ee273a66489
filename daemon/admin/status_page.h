// The status page at `/`: files that are the same for everybody and name nobody, and the script in
// them that asks for the rest.
#pragma once

#include "daemon/admin/admin_server.h"

namespace tickd {

// Before the server starts.
void add_status_page(admin_server& to);

}  // namespace tickd
