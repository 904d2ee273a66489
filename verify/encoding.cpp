#include "verify/encoding.h"

#include <algorithm>
#include <charconv>

namespace verify {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<digest> as_digest(const std::optional<std::string>& bytes) {
    digest value;
    if (!bytes || bytes->size() != value.size()) return std::nullopt;
    std::ranges::transform(*bytes, value.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    return value;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += hex_digits[byte >> 4U];
        text += hex_digits[byte & 15U];
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::size_t high = hex_digits.find(text[i]);
        const std::size_t low = hex_digits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::optional<digest> digest_from_hex(std::string_view text) { return as_digest(from_hex(text)); }

bool is_hex_of(std::string_view text, const digest& value) noexcept {
    if (text.size() != 2 * value.size()) return false;
    bool same = true;
    for (std::size_t i = 0; i < value.size(); ++i) {
        same &= text[2 * i] == hex_digits[value[i] >> 4U] &&
                text[2 * i + 1] == hex_digits[value[i] & 15U];
    }
    return same;
}

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const auto byte = k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U;
            three = three << 8U | byte;
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text += k <= here ? base64_digits[three >> (18U - 6U * k) & 63U] : '=';
        }
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    const std::size_t end = std::min(text.find('='), text.size());
    for (const char c : text.substr(0, end)) {
        const std::size_t digit = base64_digits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = bits << 6U | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 255U);
        }
    }
    if (to_base64(bytes) != text) return std::nullopt;
    return bytes;
}

std::optional<digest> digest_from_base64(std::string_view text) {
    return as_digest(from_base64(text));
}

std::optional<std::int64_t> decimal(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) {
        return std::nullopt;
    }
    if (text.size() > 1 && text.starts_with('0')) return std::nullopt;
    return value;
}

std::optional<std::int64_t> signed_decimal(std::string_view text) {
    if (!text.starts_with('-')) return decimal(text);
    const auto value = decimal(text.substr(1));
    if (!value || *value == 0) return std::nullopt;
    return -*value;
}

std::string to_uuid_text(std::string_view bytes) {
    std::string text = to_hex(bytes);
    if (text.size() != 32) return text;
    for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
    return text;
}

std::optional<std::string> from_uuid_text(std::string_view text) {
    std::string digits(text);
    std::erase(digits, '-');
    auto bytes = from_hex(digits);
    if (!bytes || bytes->size() != 16 || to_uuid_text(*bytes) != text) return std::nullopt;
    return bytes;
}

std::optional<std::string_view> take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

}  // namespace verify
