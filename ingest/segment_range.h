// What a column of numbers spans, kept up to date tick by tick, so that its width is known before
// the next tick is taken.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "ingest/segment_format.h"

namespace ingest {

// Division by a power of ten of what is known to be its multiple, without dividing: 10^k is 2^k
// (a shift) times 5^k (a product with its inverse modulo 2^64).
struct exact_tenth {
    static constexpr int exponent_max = 19;  // 10^19 is the largest power that 64 bits hold

    [[nodiscard]] static constexpr bool divides(int exponent, std::uint64_t value) noexcept {
        const auto k = static_cast<std::size_t>(exponent);
        return value * inverse[k] <= quotient_max[k] &&
               (value & ((std::uint64_t{1} << k) - 1)) == 0;
    }
    [[nodiscard]] static constexpr std::uint64_t quotient(int exponent,
                                                          std::uint64_t multiple) noexcept {
        return (multiple >> exponent) * inverse[static_cast<std::size_t>(exponent)];
    }

    // Of 5^k; and the largest multiple's quotient, beyond which a product has wrapped around.
    static constexpr auto inverse = [] {
        std::array<std::uint64_t, exponent_max + 1> all{1};
        for (std::size_t k = 1; k < all.size(); ++k) all[k] = all[k - 1] * 0xCCCC'CCCC'CCCC'CCCD;
        return all;
    }();
    static constexpr auto quotient_max = [] {
        std::array<std::uint64_t, exponent_max + 1> all{std::numeric_limits<std::uint64_t>::max()};
        for (std::size_t k = 1; k < all.size(); ++k) all[k] = all[k - 1] / 5;
        return all;
    }();
};

// Whether 10^exponent divides |a - b|, which must be below 2^127.
[[nodiscard]] constexpr bool differ_by_multiple(int exponent, int128 a, int128 b) noexcept {
    const auto apart = static_cast<uint128>(a > b ? a - b : b - a);
    if (apart <= std::numeric_limits<std::uint64_t>::max() && exponent <= exact_tenth::exponent_max)
        return exact_tenth::divides(exponent, static_cast<std::uint64_t>(apart));
    return apart % powers_of_ten[static_cast<std::size_t>(exponent)] == 0;
}

// The bytes that hold `value`: 0, 1, 2, 4, 8 or 16.
[[nodiscard]] constexpr std::uint8_t width_of(uint128 value) noexcept {
    if (value == 0) return 0;
    if (value <= 0xFF) return 1;
    if (value <= 0xFFFF) return 2;
    if (value <= 0xFFFF'FFFF) return 4;
    return value <= std::numeric_limits<std::uint64_t>::max() ? 8 : 16;
}

// A multiple of 10^exponent, divided by it.
[[nodiscard]] constexpr uint128 scaled(int exponent, uint128 multiple) noexcept {
    if (multiple <= std::numeric_limits<std::uint64_t>::max() &&
        exponent <= exact_tenth::exponent_max) {
        return exact_tenth::quotient(exponent, static_cast<std::uint64_t>(multiple));
    }
    return multiple / powers_of_ten[static_cast<std::size_t>(exponent)];
}

// Of values: from the lowest to the highest, in multiples of a power of ten.
struct value_range {
    int128 first = 0, lowest = 0, highest = 0;
    int exponent = exponent_max;  // the largest power of ten that divides every difference
    bool empty = true;

    [[nodiscard]] constexpr bool covers(int128 value) const noexcept {
        return value >= lowest && value <= highest && differ_by_multiple(exponent, value, first);
    }
    constexpr void include(int128 value) noexcept {
        if (empty) {
            first = lowest = highest = value;
            empty = false;
            return;
        }
        lowest = value < lowest ? value : lowest;
        highest = value > highest ? value : highest;
        if (value == first) return;
        const auto apart = static_cast<uint128>(value > first ? value - first : first - value);
        if (apart <= std::numeric_limits<std::uint64_t>::max() &&
            exponent > exact_tenth::exponent_max) {
            exponent = exact_tenth::exponent_max;
        }
        while (!differ_by_multiple(exponent, value, first)) --exponent;
    }
    [[nodiscard]] constexpr std::uint8_t width() const noexcept {
        return width_of(scaled(exponent, static_cast<uint128>(highest - lowest)));
    }
};

// Of the steps from each value to the next.
struct step_range {
    int128 previous = 0, lowest = 0, highest = 0;
    bool empty = true;  // fewer than two values

    [[nodiscard]] constexpr bool covers(int128 value) const noexcept {
        const int128 step = value - previous;
        return !empty && step >= lowest && step <= highest;
    }
    // `second_or_later`: whether `previous` is one of the values.
    constexpr void include(int128 value, bool second_or_later) noexcept {
        if (second_or_later) {
            const int128 step = value - previous;
            lowest = empty || step < lowest ? step : lowest;
            highest = empty || step > highest ? step : highest;
            empty = false;
        }
        previous = value;
    }
    [[nodiscard]] constexpr std::uint8_t width(int exponent) const noexcept {
        return width_of(scaled(exponent, static_cast<uint128>(highest - lowest)));
    }
    // A descriptor has 64 bits for it.
    [[nodiscard]] constexpr bool step_fits() const noexcept {
        return lowest >= std::numeric_limits<std::int64_t>::min() &&
               lowest <= std::numeric_limits<std::int64_t>::max();
    }
};

}  // namespace ingest
