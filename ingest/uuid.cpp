#include "ingest/uuid.h"

#include <cstddef>

namespace ingest {
namespace {

constexpr std::uint8_t not_hex = 0xFF;

constexpr std::array<std::uint8_t, 256> hex_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(not_hex);
    for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
    for (std::uint8_t i = 0; i < 6; ++i) {
        values[static_cast<std::size_t>('a' + i)] = static_cast<std::uint8_t>(10 + i);
        values[static_cast<std::size_t>('A' + i)] = static_cast<std::uint8_t>(10 + i);
    }
    return values;
}();

// Where each byte's two digits stand in `01234567-9012-4567-9012-456789012345`.
constexpr std::array<std::uint8_t, 16> digit_places = {0,  2,  4,  6,  9,  11, 14, 16,
                                                       19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::optional<uuid> parse_uuid(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') {
        return std::nullopt;
    }
    uuid id;
    unsigned seen = 0;  // a bit above the low four means that some digit was none
    for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t place = digit_places[i];
        const unsigned high = hex_values[static_cast<unsigned char>(text[place])];
        const unsigned low = hex_values[static_cast<unsigned char>(text[place + 1])];
        seen |= high | low;
        id.bytes[i] = static_cast<std::uint8_t>((high << 4U) | (low & 0x0FU));
    }
    if (seen > 0x0FU) return std::nullopt;
    return id;
}

std::string to_text(const uuid& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(36, '-');
    for (std::size_t i = 0; i < 16; ++i) {
        text[digit_places[i]] = digits[id.bytes[i] >> 4U];
        text[digit_places[i] + 1U] = digits[id.bytes[i] & 0x0FU];
    }
    return text;
}

}  // namespace ingest
