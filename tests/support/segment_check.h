// Whether segments and candles say what the rows say, in the words of a test.
#pragma once

#include <string>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd::test {

// "fault symbol detail" of each finding; empty when they are equal.
[[nodiscard]] std::vector<std::string> segment_faults(const std::string& conninfo);

}  // namespace tickd::test
