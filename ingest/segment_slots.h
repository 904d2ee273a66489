// The loops that take a column's slots apart. All arithmetic is modulo 2^64: the caller has proved
// that the results fit, or does not look at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "ingest/decimal.h"

namespace ingest {

template <typename Slot>
[[nodiscard]] inline Slot slot_at(const char* slots, std::size_t i) noexcept {
    Slot slot;
    std::memcpy(&slot, slots + i * sizeof slot, sizeof slot);
    return slot;
}

// Calls `loop(slot)` with a function from a tick's number to its slot, of the column's width, so
// that the loop is compiled for each width.
template <typename Loop>
inline void with_slots(std::uint8_t width, const char* slots, Loop loop) {
    switch (width) {
        case 0: return loop([](std::size_t) { return std::uint8_t{0}; });
        case 1: return loop([=](std::size_t i) { return slot_at<std::uint8_t>(slots, i); });
        case 2: return loop([=](std::size_t i) { return slot_at<std::uint16_t>(slots, i); });
        case 4: return loop([=](std::size_t i) { return slot_at<std::uint32_t>(slots, i); });
        case 8: return loop([=](std::size_t i) { return slot_at<std::uint64_t>(slots, i); });
        default: return loop([=](std::size_t i) { return slot_at<uint128>(slots, i); });
    }
}

// The same with each slot times `factor`. Products of 32 bits by 32 are what vector units have.
template <typename Loop>
inline void with_products(std::uint8_t width, const char* slots, std::uint64_t factor, Loop loop) {
    const auto narrow = static_cast<std::uint32_t>(factor);
    with_slots(width, slots, [&](auto slot) {
        using type = decltype(slot(0));
        if constexpr (sizeof(type) <= 4) {
            if (narrow == factor) {
                return loop([=](std::size_t i) {
                    return std::uint64_t{static_cast<std::uint32_t>(slot(i))} * narrow;
                });
            }
        }
        loop([=](std::size_t i) { return static_cast<std::uint64_t>(slot(i)) * factor; });
    });
}

}  // namespace ingest
