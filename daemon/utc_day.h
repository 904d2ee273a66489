// Days of UTC on the command line: YYYY-MM-DD, counted from 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tickd {

// Nothing for what is no day of the years 1 to 9999.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text) noexcept;
[[nodiscard]] std::string to_date(std::int64_t day);

}  // namespace tickd
