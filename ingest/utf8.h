// Characters, as VARCHAR(n) counts them: code points of text already known to be UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ingest {

// How many code points valid UTF-8 holds: its bytes less the continuation bytes (10xxxxxx).
// Reads eight bytes at a time and none outside `text`.
[[nodiscard]] inline std::size_t count_code_points(std::string_view text) noexcept {
    constexpr std::uint64_t low_bits = 0x0101'0101'0101'0101;
    const char* at = text.data();
    std::size_t left = text.size();
    std::size_t continuations = 0;
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        const std::uint64_t marks = (word >> 7) & ~(word >> 6) & low_bits;
        continuations += (marks * low_bits) >> 56;  // at most 8: the sum fits the top byte
    }
    for (; left != 0; ++at, --left) {
        continuations += (static_cast<unsigned char>(*at) & 0xC0U) == 0x80U ? 1 : 0;
    }
    return text.size() - continuations;
}

// Whether valid UTF-8 has more than `chars_max` code points. Counts only when bytes do not tell.
[[nodiscard]] inline bool longer_than(std::string_view text, std::size_t chars_max) noexcept {
    return text.size() > chars_max &&
           (text.size() > 4 * chars_max || count_code_points(text) > chars_max);
}

}  // namespace ingest
