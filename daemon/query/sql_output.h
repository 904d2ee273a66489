// Rows of a query in the forms that `tickd query` prints, streamed.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/db/pg_connection.h"
#include "daemon/query/tick_output.h"

namespace tickd {

// Runs `select` (one statement, no parameters) in a transaction of its own and hands its rows on,
// in pieces of some ten thousand. NDJSON has integers as numbers and everything else as strings of
// all its digits.
[[nodiscard]] std::expected<void, pg_error> print_rows(
    pg_connection& connection, const std::string& select, output_form form,
    const std::function<void(std::string_view)>& write);

}  // namespace tickd
