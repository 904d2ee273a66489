// Instants as microseconds since 1970-01-01T00:00:00Z, the resolution PostgreSQL stores.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingest {

// PostgreSQL counts from 2000-01-01T00:00:00Z.
inline constexpr std::int64_t pg_epoch_us = 946'684'800'000'000;

enum class time_error : std::uint8_t { none, invalid, leap_second };

struct time_result {
    std::int64_t unix_us = 0;
    time_error error = time_error::none;
};

// RFC 3339 with a zone: `2024-08-08T23:54:14.024619Z`, `t`, `z` and a space for the T allowed,
// offsets from -23:59 to +23:59, one to nine fraction digits (cut, not rounded, to six), years
// 0001 to 9999 both as written and in UTC, real days only. `24:00:00` is invalid; second 60 gives
// leap_second where RFC 3339 allows one (23:59:60 UTC), invalid elsewhere.
[[nodiscard]] time_result parse_rfc3339(std::string_view text) noexcept;

// An integer epoch token (`-?[0-9]+`, JSON's grammar: no leading zeros); its unit follows from its
// magnitude: below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds, else
// nanoseconds (floored to microseconds). invalid: not an integer, beyond 64 bits, or before the
// year 0001, which no RFC 3339 text can name.
[[nodiscard]] time_result parse_epoch(std::string_view token) noexcept;

// `2024-08-08T23:54:14.024619Z`: always six fraction digits, UTC. An instant outside the years 0001
// to 9999, which neither parser gives, is written as its plain number of microseconds.
[[nodiscard]] std::string to_rfc3339(std::int64_t unix_us);

}  // namespace ingest
