// Finds one member of an object in a line that need not be JSON: what a refused line's sequence
// is read with, and how a hello is told from a record before anything is parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ingest {

// What follows `"key":` (and white space), to the end of the line, for the first such key directly
// inside the line's object; nothing when there is none before the line breaks. `key` is ASCII;
// keys are compared decoded. Any bytes; no allocation; linear.
[[nodiscard]] std::optional<std::string_view> find_member(std::string_view line,
                                                          std::string_view key) noexcept;

// The `seq` of a line that was refused: 1 to 2^63-1, or 0 when it cannot be read for sure. A
// number that the line's end cuts off is not sure.
[[nodiscard]] std::uint64_t salvage_seq(std::string_view line) noexcept;

// The value of a whole token `[1-9][0-9]*` up to 2^63-1; 0 for anything else.
[[nodiscard]] std::uint64_t parse_seq(std::string_view token) noexcept;

}  // namespace ingest
