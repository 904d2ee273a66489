#include "ingest/top_level_scan.h"

#include <cstddef>
#include <limits>

namespace ingest {

namespace {

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

constexpr std::size_t skip_space(std::string_view line, std::size_t at) noexcept {
    while (at < line.size() && is_space(line[at])) ++at;
    return at;
}

// The index of the quote that ends the string whose text begins at `at`, or the line's size.
std::size_t end_of_string(std::string_view line, std::size_t at) noexcept {
    while (at < line.size() && line[at] != '"') at += line[at] == '\\' ? 2U : 1U;
    return at < line.size() ? at : line.size();
}

constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Whether the string's text `raw` decodes to the ASCII word `key`. Of the escapes only \u00xx can
// stand for a letter.
bool decodes_to(std::string_view raw, std::string_view key) noexcept {
    if (raw == key) return true;
    std::size_t at = 0;
    for (const char expected : key) {
        if (at >= raw.size()) return false;
        if (raw[at] != '\\') {
            if (raw[at++] != expected) return false;
            continue;
        }
        const std::string_view escape = raw.substr(at, 6);
        if (escape.size() != 6 || !escape.starts_with("\\u00")) return false;
        const int high = hex_digit(escape[4]);
        const int low = hex_digit(escape[5]);
        if (high < 0 || low < 0 || high * 16 + low != expected) return false;
        at += 6;
    }
    return at == raw.size();
}

}  // namespace

std::optional<std::string_view> find_member(std::string_view line, std::string_view key) noexcept {
    std::size_t at = skip_space(line, line.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    if (at == line.size() || line[at] != '{') return std::nullopt;
    std::size_t depth = 0;
    while (at < line.size()) {
        const char c = line[at++];
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return std::nullopt;
        if (c != '"') continue;
        const std::size_t begin = at;
        const std::size_t end = end_of_string(line, begin);
        if (end == line.size()) return std::nullopt;
        at = skip_space(line, end + 1);
        if (depth != 1 || at == line.size() || line[at] != ':') continue;
        if (!decodes_to(line.substr(begin, end - begin), key)) continue;
        return line.substr(skip_space(line, at + 1));
    }
    return std::nullopt;
}

std::uint64_t salvage_seq(std::string_view line) noexcept {
    const std::optional<std::string_view> rest = find_member(line, "seq");
    if (!rest) return 0;
    std::size_t digits = 0;
    while (digits < rest->size() && (*rest)[digits] >= '0' && (*rest)[digits] <= '9') ++digits;
    if (digits == rest->size()) return 0;
    const char after = (*rest)[digits];
    if (after != ',' && after != '}' && !is_space(after)) return 0;
    return parse_seq(rest->substr(0, digits));
}

std::uint64_t parse_seq(std::string_view token) noexcept {
    // 2^63-1 has 19 digits, and 19 nines still fit 64 bits.
    if (token.empty() || token.size() > 19 || token.front() == '0') return 0;
    std::uint64_t value = 0;
    for (const char c : token) {
        if (c < '0' || c > '9') return 0;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    constexpr auto seq_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value <= seq_max ? value : 0;
}

}  // namespace ingest
