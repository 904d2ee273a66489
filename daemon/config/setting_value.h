// How the values of settings are written: text to value and back. Every parser gives the value or
// what would have been right, as a sentence's end: `must be a size from 4KiB to 16MiB, not "1"`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tickd {

template <typename T>
using parsed = std::expected<T, std::string>;

// `text` in double quotes, control characters replaced, at most 40 bytes of it.
[[nodiscard]] std::string quoted(std::string_view text);

// A whole number in decimal digits.
[[nodiscard]] parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t min,
                                                std::uint64_t max);

// A whole number and its unit: us, ms, s, m, h or d. Range inclusive.
[[nodiscard]] parsed<std::chrono::microseconds> parse_duration(std::string_view text,
                                                               std::chrono::microseconds min,
                                                               std::chrono::microseconds max);
// With the largest unit that leaves a whole number; zero is `0s`.
[[nodiscard]] std::string print_duration(std::chrono::microseconds duration);

// Bytes, or a whole number and KiB, MiB or GiB. Range inclusive.
[[nodiscard]] parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t min,
                                               std::uint64_t max);
[[nodiscard]] std::string print_size(std::uint64_t bytes);

// `true` or `false`; nothing else, so that `no` and `off` cannot be misread.
[[nodiscard]] parsed<bool> parse_switch(std::string_view text);

// Permissions as `0660`: octal digits, at most 0777.
[[nodiscard]] parsed<std::uint32_t> parse_mode(std::string_view text);
[[nodiscard]] std::string print_mode(std::uint32_t mode);

// UTF-8 without control characters, at most `characters_max` long; may be empty.
[[nodiscard]] parsed<std::string> parse_text(std::string_view text, std::size_t characters_max);

// A YAML scalar that reads back as `text`: plain where that is safe, else in double quotes.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

}  // namespace tickd
