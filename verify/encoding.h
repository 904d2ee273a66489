// Hexadecimal, base64 and decimal, read strictly: one text for one value and nothing around it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "verify/sha256.h"

namespace verify {

// Lower case.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] inline std::string to_hex(const digest& value) { return to_hex(bytes_of(value)); }
// Lower case, two digits a byte.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);
[[nodiscard]] std::optional<digest> digest_from_hex(std::string_view text);
// Whether the text is to_hex(value); allocates nothing.
[[nodiscard]] bool is_hex_of(std::string_view text, const digest& value) noexcept;

// RFC 4648 section 4, with its padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
// Nothing unless to_base64 of the result gives the same text: padding and unused bits count.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::optional<digest> digest_from_base64(std::string_view text);

// Digits without a leading zero, from 0 to 2^63-1.
[[nodiscard]] std::optional<std::int64_t> decimal(std::string_view text);
// The same with an optional minus.
[[nodiscard]] std::optional<std::int64_t> signed_decimal(std::string_view text);

// 16 bytes as 8-4-4-4-12, lower case.
[[nodiscard]] std::string to_uuid_text(std::string_view bytes);
// The same text back to 16 bytes.
[[nodiscard]] std::optional<std::string> from_uuid_text(std::string_view text);

// The first line of `rest`, without its newline, which is taken off `rest`. Nothing: no newline.
[[nodiscard]] std::optional<std::string_view> take_line(std::string_view& rest);

}  // namespace verify
