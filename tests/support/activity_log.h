// The activity log recomputed from its rows and records, by SQL that shares nothing with the
// functions that wrote it: trees are folded level by level.
#pragma once

#include <string>

#include "daemon/db/pg_connection.h"

namespace tickd::test {

// What does not hold, one line each; empty: everything does. Rows outside records, indexes, texts,
// chains, roots of batches, the head.
[[nodiscard]] std::string wrong_with_activity_log(pg_connection& sql);

}  // namespace tickd::test
