// Decimals from token to NUMERIC without ever being a double.
//
// A price or volume is held as an integer count of 10^-8: NUMERIC(20,8) needs 10^20, NUMERIC(30,8)
// 10^30, so the integer has 128 bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingest {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

inline constexpr int decimal_scale = 8;
inline constexpr int128 decimal_one = 100'000'000;

// Exclusive bounds of |value| in units of 10^-8.
inline constexpr int128 price_limit = int128{1'000'000'000'000} * decimal_one;  // NUMERIC(20,8)
inline constexpr int128 volume_limit =
    int128{1'000'000'000'000} * 10'000'000'000 * decimal_one;  // NUMERIC(30,8)

// What to do with a value that has more than eight decimals.
enum class excess_digits : std::uint8_t {
    reject,  // refuse the record: no number is ever changed
    round,   // half away from zero, as NUMERIC does
};

enum class decimal_error : std::uint8_t {
    none,
    not_decimal,
    not_finite,
    too_precise,
    out_of_range
};

struct decimal_result {
    int128 value = 0;  // units of 10^-8; 0 unless error is none
    decimal_error error = decimal_error::none;
};

// Reads a decimal in JSON's number grammar (RFC 8259, section 6): `-0`, `1E5`, `0.10`, `1e-8`.
// Exact: trailing zeros beyond the eighth decimal are not excess; any other digit there is.
// `limit` (1 to 10^38) is exclusive, on the magnitude, after rounding; a value that is both beyond
// it and too precise is out_of_range. `NaN`, `Infinity` and their signed and
// abbreviated spellings (any case) give not_finite; anything else outside the grammar not_decimal.
// Any length of token; no allocation. Digits beyond 400 or exponents of any size are handled.
[[nodiscard]] decimal_result parse_decimal(std::string_view token, excess_digits excess,
                                           int128 limit) noexcept;

// (bid + ask) / 2, exact, rounded half away from zero to 8 decimals.
[[nodiscard]] constexpr int128 mid_of(int128 bid, int128 ask) noexcept {
    const int128 sum = bid + ask;
    return (sum >= 0 ? sum + 1 : sum - 1) / 2;
}

// PostgreSQL's text of NUMERIC(*,8): always eight decimals, no exponent, `-` only when not zero.
[[nodiscard]] std::string to_text(int128 value);

}  // namespace ingest
