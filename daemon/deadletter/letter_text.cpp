#include "daemon/deadletter/letter_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <format>
#include <vector>

#include "daemon/json_quoted.h"
#include "daemon/utf8.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

// A line is not read past this when there is no terminal to fit it into.
constexpr std::size_t producer_columns_max = 20;
constexpr std::size_t line_columns_min = 10;

// Of a well-formed sequence.
char32_t code_point_of(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
    if (sequence.size() == 1) return byte(0);
    char32_t point = byte(0) & (0x7FU >> sequence.size());
    for (std::size_t i = 1; i < sequence.size(); ++i) point = point << 6U | (byte(i) & 0x3FU);
    return point;
}

bool steers_or_hides(char32_t point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0xAD ||
           (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF ||
           (point >= 0xFFF9 && point <= 0xFFFB) || (point >= 0xE0000 && point <= 0xE0FFF);
}

// How many columns a terminal gives it. Two for everything that might be wide: a line must fit.
std::size_t columns_of(char32_t point) { return point < 0x1100 ? 1 : 2; }

// `text`, which visible() made, filled up or cut to exactly so many columns.
std::string fit(std::string_view text, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        const std::string_view next = text.substr(0, utf8_sequence_bytes(text));
        const std::size_t wide = columns_of(code_point_of(next));
        if (used + wide > columns) {
            // Room for the mark: what was put last may have to go.
            while (used + 1 > columns && !out.empty()) {
                std::size_t last = out.size() - 1;
                while (last > 0 && (static_cast<std::uint8_t>(out[last]) & 0xC0U) == 0x80U) --last;
                used -= columns_of(code_point_of(std::string_view(out).substr(last)));
                out.resize(last);
            }
            if (columns > 0) {
                out += "~";
                ++used;
            }
            break;
        }
        out += next;
        used += wide;
        text.remove_prefix(next.size());
    }
    out.append(columns - used, ' ');
    return out;
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const std::string_view next = text.substr(0, utf8_sequence_bytes(text));
        columns += columns_of(code_point_of(next));
        text.remove_prefix(next.size());
    }
    return columns;
}

// 2024-08-08 23:54:15, UTC.
std::string short_time(std::int64_t us) {
    std::string text = ingest::to_rfc3339(us).substr(0, 19);
    if (text.size() == 19) text[10] = ' ';
    return text;
}

void append_json(std::string& to, std::string_view name, const std::string& value) {
    to += to.size() == 1 ? "\"" : ",\"";
    to.append(name).append("\":").append(value);
}

std::string json_or_null(const std::optional<std::string>& text) {
    return text ? json_quoted(*text) : "null";
}
std::string json_or_null(const std::optional<std::int64_t>& number) {
    return number ? std::to_string(*number) : "null";
}

std::string hex_of(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        hex += digits[byte >> 4U];
        hex += digits[byte & 0xFU];
    }
    return hex;
}

}  // namespace

std::string visible(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const std::size_t length = utf8_sequence_bytes(bytes);
        if (length == 0) {
            out += std::format("\\x{:02x}", static_cast<std::uint8_t>(bytes.front()));
            bytes.remove_prefix(1);
            continue;
        }
        const char32_t point = code_point_of(bytes.substr(0, length));
        if (!steers_or_hides(point)) {
            out += bytes.substr(0, length);
        } else if (point < 0x80) {
            out += std::format("\\x{:02x}", static_cast<unsigned>(point));
        } else {
            out += std::format("\\u{{{:x}}}", static_cast<std::uint32_t>(point));
        }
        bytes.remove_prefix(length);
    }
    return out;
}

std::string letter_table(std::span<const dead_letter> letters, std::size_t columns) {
    constexpr std::size_t fields = 7;
    using cells = std::array<std::string, fields>;
    std::vector<cells> table{
        {"ID", "RECEIVED (UTC)", "VERDICT", "FIELD", "PRODUCER", "SEQ", "RECORD"}};
    for (const dead_letter& letter : letters) {
        table.push_back({std::to_string(letter.id), short_time(letter.received_us),
                         visible(letter.verdict), visible(letter.field.value_or("-")),
                         visible(letter.producer.value_or("-")),
                         letter.seq ? std::to_string(*letter.seq) : "-",
                         // More than a screen's width is never shown.
                         visible(std::string_view(letter.raw).substr(0, columns))});
    }
    std::array<std::size_t, fields> widths{};
    for (const cells& row : table) {
        for (std::size_t i = 0; i < fields; ++i) {
            widths[i] = std::max(widths[i], columns_of(std::string_view(row[i])));
        }
    }
    widths[4] = std::min(widths[4], producer_columns_max);
    std::size_t taken = 0;
    for (std::size_t i = 0; i + 1 < fields; ++i) taken += widths[i] + 2;
    widths[fields - 1] = std::max(columns > taken ? columns - taken : 0, line_columns_min);

    std::string text;
    for (const cells& row : table) {
        std::string line;
        for (std::size_t i = 0; i < fields; ++i) {
            if (i != 0) line += "  ";
            line += fit(row[i], widths[i]);
        }
        line = fit(line, columns);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string letter_sheet(const dead_letter& letter) {
    std::string text;
    const auto add = [&](std::string_view name, const std::string& value) {
        text += std::format("{:<12}{}\n", name, value);
    };
    const auto add_if = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) add(name, visible(*value));
    };
    add("id", std::to_string(letter.id));
    add("received", ingest::to_rfc3339(letter.received_us));
    add("verdict", visible(letter.verdict));
    add_if("field", letter.field);
    add_if("detail", letter.detail);
    add_if("sqlstate", letter.sqlstate);
    if (letter.session_id) add("session", std::to_string(*letter.session_id));
    add_if("peer", letter.peer);
    add_if("listener", letter.listener);
    add_if("producer", letter.producer);
    add_if("tenant", letter.tenant);
    if (letter.seq) add("seq", std::to_string(*letter.seq));
    if (letter.replayed_us) add("replayed", ingest::to_rfc3339(*letter.replayed_us));
    add("length", letter.cut() ? std::format("{} bytes, of which {} were kept", letter.raw_length,
                                             letter.raw_bytes)
                               : std::format("{} bytes", letter.raw_length));
    add("record", visible(letter.raw));
    return text;
}

std::string letter_json(const dead_letter& letter) {
    std::string json = "{";
    append_json(json, "id", std::to_string(letter.id));
    append_json(json, "received_at", json_quoted(ingest::to_rfc3339(letter.received_us)));
    append_json(json, "verdict", json_quoted(letter.verdict));
    append_json(json, "field", json_or_null(letter.field));
    append_json(json, "detail", json_or_null(letter.detail));
    append_json(json, "sqlstate", json_or_null(letter.sqlstate));
    append_json(json, "session_id", json_or_null(letter.session_id));
    append_json(json, "peer", json_or_null(letter.peer));
    append_json(json, "listener", json_or_null(letter.listener));
    append_json(json, "producer", json_or_null(letter.producer));
    append_json(json, "tenant", json_or_null(letter.tenant));
    append_json(json, "seq", json_or_null(letter.seq));
    append_json(json, "replayed_at",
                letter.replayed_us ? json_quoted(ingest::to_rfc3339(*letter.replayed_us)) : "null");
    append_json(json, "raw_length", std::to_string(letter.raw_length));
    append_json(json, "cut", letter.cut() ? "true" : "false");
    append_json(json, "raw", utf8_characters(letter.raw) ? json_quoted(letter.raw) : "null");
    append_json(json, "raw_hex", json_quoted(hex_of(letter.raw)));
    return json + '}';
}

}  // namespace tickd
