// Reads COPY BINARY streams back, by the format's description and apart from the encoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tickd::test {

using copy_field = std::optional<std::string_view>;  // nothing: NULL
using copy_tuple = std::vector<copy_field>;

// The stream's tuples, which point into it. Nothing when any byte is not as it should be; an empty
// stream, which a batch gives for a table it has no rows for, has no tuples.
[[nodiscard]] std::optional<std::vector<copy_tuple>> read_copy_stream(std::string_view stream);

// A field of eight bytes as a number; throws std::runtime_error for another length or NULL.
[[nodiscard]] std::int64_t int8_of(const copy_field& field);

// Lower case.
[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace tickd::test
