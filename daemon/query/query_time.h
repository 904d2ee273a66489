// Times on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tickd {

// What tickd's times can be: the years 1 to 9999.
inline constexpr std::optional<std::int64_t> query_time_min_us = -62'135'596'800'000'000;
inline constexpr std::optional<std::int64_t> query_time_max_us = 253'402'300'799'999'999;

// A day (its first microsecond, UTC), RFC 3339 with a zone, or an integer epoch whose unit follows
// from its size, as on the wire. Nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_query_time(std::string_view text) noexcept;

}  // namespace tickd
