// Tables of test vectors: tab-separated, no escapes, \N for NULL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tickd::test {

using tsv_cell = std::optional<std::string>;
using tsv_row = std::vector<tsv_cell>;

// The rows of tests/vectors/NAME; throws std::runtime_error when there are none.
[[nodiscard]] std::vector<tsv_row> read_vectors(std::string_view name);

// The bytes of a text in hex, two digits each; throws std::runtime_error for anything else.
[[nodiscard]] std::string from_hex(std::string_view hex);

}  // namespace tickd::test
