#include "ingest/decimal.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace ingest {
namespace {

constexpr std::array<std::uint32_t, 9> powers_of_ten = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

// 10^19 > 2^63 but 10^19 - 1 < 2^64: nineteen digits always fit.
constexpr std::size_t uint64_digits = 19;
// 10^38 < 2^127 < 10^39: a value whose first digit counts 10^38 or more is beyond every limit.
constexpr std::int64_t int128_digits = 38;
// Exponents are cut here: far beyond any token's length, far below overflow.
constexpr std::int64_t exponent_ceiling = 1'000'000'000'000'000;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr std::uint32_t digit_of(char c) noexcept {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(c) - '0');
}

const char* skip_digits(const char* at, const char* end) noexcept {
    while (at != end && is_digit(*at)) ++at;
    return at;
}

bool is_word(std::string_view text, std::string_view lower_case) noexcept {
    constexpr auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    return std::ranges::equal(text, lower_case, {}, lower);
}

decimal_error why_not_decimal(std::string_view token) noexcept {
    if (!token.empty() && (token[0] == '-' || token[0] == '+')) token.remove_prefix(1);
    const bool not_finite =
        is_word(token, "nan") || is_word(token, "inf") || is_word(token, "infinity");
    return not_finite ? decimal_error::not_finite : decimal_error::not_decimal;
}

// A token's parts, in place.
struct token_parts {
    std::string_view whole;     // digits before the point
    std::string_view fraction;  // digits after it
    std::int64_t exponent = 0;  // cut at +-exponent_ceiling
    bool negative = false;
};

bool split(std::string_view token, token_parts& parts) noexcept {
    const char* at = token.data();
    const char* const end = at + token.size();
    parts.negative = at != end && *at == '-';
    if (parts.negative) ++at;

    const char* begin = at;
    at = skip_digits(at, end);
    parts.whole = {begin, at};
    if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return false;

    if (at != end && *at == '.') {
        begin = ++at;
        at = skip_digits(at, end);
        parts.fraction = {begin, at};
        if (parts.fraction.empty()) return false;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        const bool below = at != end && *at == '-';
        if (at != end && (*at == '-' || *at == '+')) ++at;
        begin = at;
        for (; at != end && is_digit(*at); ++at) {
            parts.exponent =
                std::min(parts.exponent * 10 + std::int64_t{digit_of(*at)}, exponent_ceiling);
        }
        if (at == begin) return false;
        if (below) parts.exponent = -parts.exponent;
    }
    return at == end;
}

// The digits of both parts as one run.
class digit_run {
public:
    explicit digit_run(const token_parts& parts) noexcept : parts_(parts) {}

    [[nodiscard]] std::int64_t size() const noexcept {
        return std::ssize(parts_.whole) + std::ssize(parts_.fraction);
    }
    [[nodiscard]] std::uint32_t operator[](std::int64_t i) const noexcept {
        const std::int64_t in_fraction = i - std::ssize(parts_.whole);
        return digit_of(in_fraction < 0 ? parts_.whole[static_cast<std::size_t>(i)]
                                        : parts_.fraction[static_cast<std::size_t>(in_fraction)]);
    }

private:
    const token_parts& parts_;
};

constexpr decimal_result failed(decimal_error error) noexcept { return {0, error}; }

decimal_result checked(uint128 magnitude, bool negative, int128 limit) noexcept {
    if (magnitude >= static_cast<uint128>(limit)) return failed(decimal_error::out_of_range);
    const auto value = static_cast<int128>(magnitude);
    return {negative ? -value : value, decimal_error::none};
}

// Any token: exponents, long fractions, errors.
decimal_result parse_any(std::string_view token, excess_digits excess, int128 limit) noexcept {
    token_parts parts;
    if (!split(token, parts)) return failed(why_not_decimal(token));

    const digit_run digits(parts);
    std::int64_t first = 0;
    while (first != digits.size() && digits[first] == 0) ++first;
    if (first == digits.size()) return checked(0, false, limit);

    // Digit i counts 10^(units_place - i) units of 10^-8.
    const std::int64_t units_place = std::ssize(parts.whole) - 1 + parts.exponent + decimal_scale;
    if (units_place - first >= int128_digits) return failed(decimal_error::out_of_range);

    // At most 38 digits are kept, so this cannot overflow.
    uint128 magnitude = 0;
    std::int64_t i = first;
    for (; i < digits.size() && i <= units_place; ++i) magnitude = magnitude * 10 + digits[i];
    for (std::int64_t place = units_place - i; place >= 0; --place) magnitude *= 10;
    if (magnitude >= static_cast<uint128>(limit)) return failed(decimal_error::out_of_range);

    // The digit that counts a tenth of a unit decides; leading zeros before it are below five.
    const bool half = i == units_place + 1 && i < digits.size() && digits[i] >= 5;
    bool dropped = false;
    for (std::int64_t rest = i; rest < digits.size() && !dropped; ++rest) {
        dropped = digits[rest] != 0;
    }
    if (dropped && excess == excess_digits::reject) return failed(decimal_error::too_precise);
    if (half) ++magnitude;
    return checked(magnitude, parts.negative, limit);
}

}  // namespace

decimal_result parse_decimal(std::string_view token, excess_digits excess, int128 limit) noexcept {
    // Nearly every price: no exponent, at most eight decimals, digits that fit 64 bits.
    if (token.size() - 1 >= uint64_digits) return parse_any(token, excess, limit);
    const char* at = token.data();
    const char* const end = at + token.size();
    const bool negative = *at == '-';
    if (negative) ++at;

    const char* const whole = at;
    std::uint64_t digits = 0;
    for (; at != end && is_digit(*at); ++at) digits = digits * 10 + digit_of(*at);
    const auto whole_size = at - whole;
    if (whole_size == 0 || (*whole == '0' && whole_size > 1)) {
        return parse_any(token, excess, limit);
    }

    std::size_t decimals = 0;
    if (at != end && *at == '.') {
        const char* const fraction = ++at;
        for (; at != end && is_digit(*at); ++at) digits = digits * 10 + digit_of(*at);
        decimals = static_cast<std::size_t>(at - fraction);
        if (decimals == 0 || decimals > decimal_scale) return parse_any(token, excess, limit);
    }
    if (at != end) return parse_any(token, excess, limit);
    return checked(uint128{digits} * powers_of_ten[decimal_scale - decimals], negative, limit);
}

std::string to_text(int128 value) {
    // 39 digits, the point, a sign, and a leading zero that is counted among the digits.
    std::array<char, 48> text{};
    auto at = text.end();
    const auto bits = static_cast<uint128>(value);
    uint128 left = value < 0 ? uint128{0} - bits : bits;
    for (int written = 0; written <= decimal_scale || left != 0; ++written) {
        if (written == decimal_scale) *--at = '.';
        *--at = static_cast<char>('0' + static_cast<int>(left % 10));
        left /= 10;
    }
    if (value < 0) *--at = '-';
    return {at, text.end()};
}

}  // namespace ingest
