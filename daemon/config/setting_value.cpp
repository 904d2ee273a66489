#include "daemon/config/setting_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "daemon/log.h"
#include "daemon/utf8.h"

namespace tickd {

namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: printing takes the first that divides.
constexpr std::array<unit, 6> duration_units{{{"d", 86'400'000'000},
                                              {"h", 3'600'000'000},
                                              {"m", 60'000'000},
                                              {"s", 1'000'000},
                                              {"ms", 1'000},
                                              {"us", 1}}};
constexpr std::array<unit, 3> size_units{
    {{"GiB", 1024ULL * 1024 * 1024}, {"MiB", 1024ULL * 1024}, {"KiB", 1024}}};

template <typename T>
std::optional<T> whole_number(std::string_view text, int base) {
    T value{};
    const char* const begin = std::to_address(text.begin());
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, value, base);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return value;
}

// `12KiB` as 12 * 1024. Nothing: no such form, or more than 64 bits hold.
std::optional<std::uint64_t> with_unit(std::string_view text, std::span<const unit> units,
                                       bool unit_required) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = whole_number<std::uint64_t>(text.substr(0, digits), 10);
    if (!number) return std::nullopt;
    const std::string_view name = text.substr(digits);
    if (name.empty() && !unit_required) return number;
    const auto found = std::ranges::find(units, name, &unit::name);
    if (found == units.end()) return std::nullopt;
    if (*number > std::numeric_limits<std::uint64_t>::max() / found->factor) return std::nullopt;
    return *number * found->factor;
}

std::string print_with_unit(std::uint64_t value, std::span<const unit> units) {
    for (const unit& each : units) {
        if (value != 0 && value % each.factor == 0) {
            return std::format("{}{}", value / each.factor, each.name);
        }
    }
    return std::to_string(value);
}

template <typename T>
parsed<T> must_be(std::string_view right, std::string_view text) {
    return std::unexpected{std::format("must be {}, not {}", right, quoted(text))};
}

}  // namespace

std::string quoted(std::string_view text) {
    constexpr std::size_t shown_bytes_max = 40;
    if (text.size() <= shown_bytes_max) return std::format("\"{}\"", printable(text));
    std::size_t kept = shown_bytes_max;
    // Not inside a character.
    while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0) == 0x80) --kept;
    return std::format("\"{}...\"", printable(text.substr(0, kept)));
}

parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t min, std::uint64_t max) {
    const auto value = whole_number<std::uint64_t>(text, 10);
    if (!value || *value < min || *value > max) {
        return must_be<std::uint64_t>(std::format("a whole number from {} to {}", min, max), text);
    }
    return *value;
}

parsed<std::chrono::microseconds> parse_duration(std::string_view text,
                                                 std::chrono::microseconds min,
                                                 std::chrono::microseconds max) {
    const auto us = with_unit(text, duration_units, true);
    if (!us || *us > static_cast<std::uint64_t>(max.count()) ||
        *us < static_cast<std::uint64_t>(min.count())) {
        return must_be<std::chrono::microseconds>(
            std::format("a duration from {} to {} with a unit (us, ms, s, m, h, d)",
                        print_duration(min), print_duration(max)),
            text);
    }
    return std::chrono::microseconds{static_cast<std::int64_t>(*us)};
}

std::string print_duration(std::chrono::microseconds duration) {
    if (duration.count() == 0) return "0s";
    return print_with_unit(static_cast<std::uint64_t>(duration.count()), duration_units);
}

parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t min, std::uint64_t max) {
    const auto bytes = with_unit(text, size_units, false);
    if (!bytes || *bytes < min || *bytes > max) {
        return must_be<std::uint64_t>(std::format("a size from {} to {} (bytes, KiB, MiB, GiB)",
                                                  print_size(min), print_size(max)),
                                      text);
    }
    return *bytes;
}

std::string print_size(std::uint64_t bytes) { return print_with_unit(bytes, size_units); }

parsed<bool> parse_switch(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return must_be<bool>("true or false", text);
}

parsed<std::uint32_t> parse_mode(std::string_view text) {
    const auto mode = whole_number<std::uint32_t>(text, 8);
    if (!mode || *mode > 0777) return must_be<std::uint32_t>("an octal mode from 0 to 0777", text);
    return *mode;
}

std::string print_mode(std::uint32_t mode) { return std::format("0{:03o}", mode); }

parsed<std::string> parse_text(std::string_view text, std::size_t characters_max) {
    const auto characters = utf8_characters(text);
    if (!characters) return std::unexpected{"must be UTF-8"};
    if (std::ranges::any_of(
            text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
        return std::unexpected{"must not hold control characters"};
    }
    if (*characters > characters_max) {
        return std::unexpected{
            std::format("must have at most {} characters, not {}", characters_max, *characters)};
    }
    return std::string{text};
}

std::string yaml_scalar(std::string_view text) {
    constexpr std::string_view safe_symbols = "_./:-";
    const auto plain = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               safe_symbols.contains(c);
    };
    const bool is_null = text == "null" || text == "Null" || text == "NULL";
    if (!text.empty() && !is_null && std::ranges::all_of(text, plain) && text.front() != '-' &&
        text.front() != ':' && text.back() != ':') {
        return std::string{text};
    }
    std::string out{'"'};
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += std::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace tickd
