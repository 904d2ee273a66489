#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ingest/json_scalar.h"

namespace ingest {
namespace {

constexpr std::uint64_t every_byte(std::uint64_t byte) noexcept {
    return byte * 0x0101'0101'0101'0101;
}

constexpr bool is_special(unsigned char c) noexcept { return c == '"' || c == '\\' || c < 0x20; }

// The first quote, backslash or control character, or `end`. Eight bytes a step: a zero byte in
// the difference is the character sought. Borrows only cause false marks above a true one, and the
// lowest mark is the one that counts.
const char* find_special(const char* at, const char* end) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        for (; end - at >= 8; at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, 8);
            const std::uint64_t quote = word ^ every_byte('"');
            const std::uint64_t backslash = word ^ every_byte('\\');
            const std::uint64_t marks =
                (((quote - every_byte(1)) & ~quote) | ((backslash - every_byte(1)) & ~backslash) |
                 ((word - every_byte(0x20)) & ~word)) &
                every_byte(0x80);
            if (marks != 0) return at + std::countr_zero(marks) / 8;
        }
    }
    while (at != end && !is_special(static_cast<unsigned char>(*at))) ++at;
    return at;
}

// The letter of the two-character escape that the normal form has for `c`; 0 for none.
constexpr char short_escape(std::uint32_t c) noexcept {
    switch (c) {
        case '"': return '"';
        case '\\': return '\\';
        case '\b': return 'b';
        case '\f': return 'f';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        default: return 0;
    }
}

// What `\letter` stands for; 0 for an escape that JSON does not have (and for `u`).
constexpr char meaning_of(char letter) noexcept {
    switch (letter) {
        case '"': return '"';
        case '\\': return '\\';
        case '/': return '/';
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return 0;
    }
}

// For a character below 0x20, a quote or a backslash.
void append_escape(std::uint32_t c, byte_buffer& out) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (const char letter = short_escape(c); letter != 0) {
        out.push_back('\\');
        out.push_back(letter);
        return;
    }
    out.append("\\u00");
    out.push_back(digits[c >> 4U]);
    out.push_back(digits[c & 0x0FU]);
}

void append_utf8(std::uint32_t c, byte_buffer& out) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
        return;
    }
    if (c < 0x800) {
        put(0xC0U | (c >> 6U));
    } else {
        if (c < 0x1'0000) {
            put(0xE0U | (c >> 12U));
        } else {
            put(0xF0U | (c >> 18U));
            put(0x80U | ((c >> 12U) & 0x3FU));
        }
        put(0x80U | ((c >> 6U) & 0x3FU));
    }
    put(0x80U | (c & 0x3FU));
}

// Four hexadecimal digits at `at`, which is moved behind them; above 0xFFFF when they are not.
std::uint32_t read_hex4(const char*& at, const char* end) noexcept {
    constexpr std::uint32_t not_hex = 0x1'0000;
    if (end - at < 4) return not_hex;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at) {
        const auto c = static_cast<unsigned char>(*at);
        const auto lower = static_cast<unsigned char>(c | 0x20U);
        std::uint32_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<std::uint32_t>(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            digit = static_cast<std::uint32_t>(lower - 'a' + 10);
        } else {
            return not_hex;
        }
        value = value * 16 + digit;
    }
    return value;
}

constexpr bool is_high_surrogate(std::uint32_t c) noexcept { return c >= 0xD800 && c < 0xDC00; }
constexpr bool is_low_surrogate(std::uint32_t c) noexcept { return c >= 0xDC00 && c < 0xE000; }

// The character of a `\uXXXX` or of a pair of them. `at` is behind the first `\u` and is moved
// behind the whole.
verdict read_unicode_escape(const char*& at, const char* end, std::uint32_t& character) noexcept {
    const std::uint32_t first = read_hex4(at, end);
    if (first > 0xFFFF) return verdict::not_json;
    if (first == 0) return verdict::nul_character;
    if (is_low_surrogate(first)) return verdict::lone_surrogate;
    if (!is_high_surrogate(first)) {
        character = first;
        return verdict::accepted;
    }
    if (end - at < 2 || at[0] != '\\' || at[1] != 'u') return verdict::lone_surrogate;
    at += 2;
    const std::uint32_t second = read_hex4(at, end);
    if (second > 0xFFFF) return verdict::not_json;
    if (!is_low_surrogate(second)) return verdict::lone_surrogate;
    character = 0x1'0000 + ((first - 0xD800) << 10U) + (second - 0xDC00);
    return verdict::accepted;
}

}  // namespace

verdict copy_string(const char*& at, const char* end, byte_buffer& out, bool& escaped) {
    escaped = false;
    out.push_back('"');
    const char* run = at;  // from here to `stop` the input is its own normal form
    const char* stop = at;
    for (;;) {
        stop = find_special(stop, end);
        if (stop == end || static_cast<unsigned char>(*stop) < 0x20) return verdict::not_json;
        if (*stop == '"') break;
        if (end - stop < 2) return verdict::not_json;
        const char letter = stop[1];
        if (letter != '/' && meaning_of(letter) != 0) {
            escaped = true;
            stop += 2;
            continue;
        }
        out.append({run, stop});
        stop += 2;
        if (letter == '/') {
            out.push_back('/');
        } else if (letter == 'u') {
            std::uint32_t character = 0;
            const verdict read = read_unicode_escape(stop, end, character);
            if (read != verdict::accepted) return read;
            if (character < 0x80 && is_special(static_cast<unsigned char>(character))) {
                append_escape(character, out);
                escaped = true;
            } else {
                append_utf8(character, out);
            }
        } else {
            return verdict::not_json;
        }
        run = stop;
    }
    out.append({run, ++stop});
    at = stop;
    return verdict::accepted;
}

void append_string_literal(std::string_view decoded, byte_buffer& out) {
    out.push_back('"');
    const char* at = decoded.data();
    const char* const end = at + decoded.size();
    while (at != end) {
        const char* const stop = find_special(at, end);
        out.append({at, stop});
        if (stop == end) break;
        append_escape(static_cast<unsigned char>(*stop), out);
        at = stop + 1;
    }
    out.push_back('"');
}

verdict append_decoded(std::string_view literal, byte_buffer& out) {
    if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') {
        return verdict::not_json;
    }
    const char* at = literal.data() + 1;
    const char* const end = literal.data() + literal.size() - 1;
    while (at != end) {
        const char* const stop = find_special(at, end);
        out.append({at, stop});
        if (stop == end) break;
        if (*stop != '\\' || end - stop < 2) return verdict::not_json;
        at = stop + 2;
        if (stop[1] == 'u') {
            std::uint32_t character = 0;
            const verdict read = read_unicode_escape(at, end, character);
            if (read != verdict::accepted) return read;
            append_utf8(character, out);
        } else {
            const char meaning = meaning_of(stop[1]);
            if (meaning == 0) return verdict::not_json;
            out.push_back(meaning);
        }
    }
    return verdict::accepted;
}

}  // namespace ingest
