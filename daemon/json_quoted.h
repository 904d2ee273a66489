// A text as a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace tickd {

// In double quotes, with the escapes that RFC 8259 asks for and no others. `text` is UTF-8.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace tickd
