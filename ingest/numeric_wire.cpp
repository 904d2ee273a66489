#include "ingest/numeric_wire.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace ingest {
namespace {

constexpr std::uint32_t digit_base = 10'000;
constexpr std::uint64_t two_digits = 100'000'000;
constexpr int digits_max = 10;
constexpr int fraction_digits = decimal_scale / 4;  // 10^-8 is 10000^-2
constexpr std::uint16_t sign_negative = 0x4000;
constexpr std::uint16_t dscale_max = 0x3FFF;

constexpr std::uint16_t big_endian(std::uint16_t word) noexcept {
    return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}

char* put(char* out, std::uint16_t word) noexcept {
    const std::uint16_t wire = big_endian(word);
    std::memcpy(out, &wire, sizeof wire);
    return out + sizeof wire;
}

std::uint16_t word_at(std::span<const char> bytes, std::size_t index) noexcept {
    std::uint16_t wire = 0;
    std::memcpy(&wire, bytes.data() + index * sizeof wire, sizeof wire);
    return big_endian(wire);
}

// Base-10000 digits, the least first. Gives their count, in which a last zero may be included.
int split_small(std::uint64_t value, std::array<std::uint16_t, digits_max>& digits) noexcept {
    int count = 0;
    while (value != 0) {
        const auto pair = static_cast<std::uint32_t>(value % two_digits);
        value /= two_digits;
        digits[static_cast<std::size_t>(count)] = static_cast<std::uint16_t>(pair % digit_base);
        digits[static_cast<std::size_t>(count) + 1] = static_cast<std::uint16_t>(pair / digit_base);
        count += 2;
    }
    return count;
}

int split_large(uint128 value, std::array<std::uint16_t, digits_max>& digits) noexcept {
    int count = 0;
    for (; value != 0; value /= digit_base) {
        digits[static_cast<std::size_t>(count++)] = static_cast<std::uint16_t>(value % digit_base);
    }
    return count;
}

}  // namespace

std::size_t encode_numeric(int128 value, char* out) noexcept {
    const bool negative = value < 0;
    const auto magnitude = static_cast<uint128>(negative ? -value : value);
    std::array<std::uint16_t, digits_max> digits;  // set below, up to `end`
    const auto low = static_cast<std::uint64_t>(magnitude);
    int end = low == magnitude ? split_small(low, digits) : split_large(magnitude, digits);
    while (end > 0 && digits[static_cast<std::size_t>(end) - 1] == 0) --end;
    int begin = 0;
    while (begin < end && digits[static_cast<std::size_t>(begin)] == 0) ++begin;

    const int weight = end == 0 ? 0 : end - 1 - fraction_digits;
    char* at = put(out, static_cast<std::uint16_t>(end - begin));
    at = put(at, static_cast<std::uint16_t>(weight));
    at = put(at, negative ? sign_negative : std::uint16_t{0});
    at = put(at, std::uint16_t{decimal_scale});
    for (int i = end; i-- > begin;) at = put(at, digits[static_cast<std::size_t>(i)]);
    return static_cast<std::size_t>(at - out);
}

std::optional<int128> decode_numeric(std::span<const char> bytes) noexcept {
    if (bytes.size() < 8 || bytes.size() % 2 != 0) return std::nullopt;
    const std::size_t count = word_at(bytes, 0);
    const int weight = static_cast<std::int16_t>(word_at(bytes, 1));
    const std::uint16_t sign = word_at(bytes, 2);
    if (bytes.size() != 8 + 2 * count || word_at(bytes, 3) > dscale_max) return std::nullopt;
    if (sign != 0 && sign != sign_negative) return std::nullopt;

    // Checked before each product, so nothing overflows: 10^38 < 2^127.
    constexpr uint128 magnitude_end =
        uint128{10'000'000'000'000'000'000U} * 10'000'000'000'000'000'000U;
    uint128 magnitude = 0;
    int place = weight + fraction_digits;  // of the digit read next; 0 counts units
    for (std::size_t i = 0; i < count; ++i, --place) {
        const std::uint16_t digit = word_at(bytes, 4 + i);
        if (digit >= digit_base || (place < 0 && digit != 0)) return std::nullopt;
        if (place < 0) continue;
        if (magnitude >= magnitude_end / digit_base) return std::nullopt;
        magnitude = magnitude * digit_base + digit;
    }
    for (; magnitude != 0 && place >= 0; --place) {
        if (magnitude >= magnitude_end / digit_base) return std::nullopt;
        magnitude *= digit_base;
    }
    const auto value = static_cast<int128>(magnitude);
    return sign == sign_negative ? -value : value;
}

}  // namespace ingest
