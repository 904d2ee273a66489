// Tables of docs/, which the man pages say again: read, so that there is one place to keep true.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace manual {

using table_row = std::vector<std::string>;  // a cell each, without the blanks around it

// The rows, without the head, of the first table under the heading `## HEADING` of a page. Throws
// std::runtime_error when there is none: a page was changed, and whoever reads it has to follow.
[[nodiscard]] std::vector<table_row> rows_under(std::string_view page, std::string_view heading);

}  // namespace manual
