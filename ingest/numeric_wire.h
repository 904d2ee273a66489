// NUMERIC as PostgreSQL's binary COPY carries it, big-endian:
//
//   int16 count of digits | int16 weight | int16 sign | int16 dscale | count * int16 digit
//
// A digit is one of base 10000; the first counts 10000^weight. Sign: 0 or 0x4000 (negative).
// Leading and trailing zero digits are stripped, as the server does, so the bytes of a value are
// the ones the server would send back; zero has no digits and weight 0.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "ingest/decimal.h"

namespace ingest {

// Four int16 and the ten base-10000 digits of 2^127.
inline constexpr std::size_t numeric_wire_bytes_max = 8 + 10 * 2;

// Writes the NUMERIC of value * 10^-8 with dscale 8 to `out`, which has room for
// numeric_wire_bytes_max bytes, and returns how many were written. The int32 length word that
// COPY puts before a field is the caller's. Any value but -2^127.
[[nodiscard]] std::size_t encode_numeric(int128 value, char* out) noexcept;

// The inverse, of any dscale: the value in units of 10^-8. Nothing for NaN, infinities, malformed
// bytes, values finer than 10^-8 or with a magnitude of 10^38 units or more.
[[nodiscard]] std::optional<int128> decode_numeric(std::span<const char> bytes) noexcept;

}  // namespace ingest
