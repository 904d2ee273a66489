#include "ingest/hello.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "ingest/byte_buffer.h"
#include "ingest/json_scalar.h"
#include "ingest/limits.h"
#include "ingest/top_level_scan.h"
#include "ingest/utf8.h"

namespace ingest {

namespace {

// C0, DEL and C1, the last as the two bytes that UTF-8 makes of it.
[[nodiscard]] bool has_control_character(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x20 || c == 0x7F) return true;
        if (c == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0) {
            return true;
        }
    }
    return false;
}

[[nodiscard]] bool fits(std::string_view text, std::size_t chars_max) noexcept {
    return !text.empty() && !longer_than(text, chars_max) && !has_control_character(text);
}

// Puts one member into `out`; nothing when it is fine.
[[nodiscard]] std::optional<hello_error> take_member(std::string_view name,
                                                     simdjson::dom::element value, hello& out) {
    const bool known = name == "type" || name == "producer" || name == "ack" || name == "token" ||
                       name == "source";
    if (!known) return hello_error::unknown_member;
    if (value.is_null()) return std::nullopt;
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return hello_error::wrong_type;
    if (name == "producer") {
        if (!fits(text, limits::producer_chars_max)) return hello_error::producer_invalid;
        out.producer = text;
    } else if (name == "ack") {
        const std::optional<ack_level> level = ack_level_from(text);
        if (!level) return hello_error::ack_invalid;
        out.ack = *level;
    } else if (name == "token") {
        out.token = text;
    } else if (name == "source") {
        if (!fits(text, limits::source_chars_max)) return hello_error::source_invalid;
        out.source = text;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(ack_level level) noexcept {
    switch (level) {
        case ack_level::committed: return "committed";
        case ack_level::spooled: return "spooled";
        case ack_level::none: return "none";
    }
    return "committed";
}

std::optional<ack_level> ack_level_from(std::string_view word) noexcept {
    for (const ack_level level : {ack_level::committed, ack_level::spooled, ack_level::none}) {
        if (word == to_string(level)) return level;
    }
    return std::nullopt;
}

std::string_view explain(hello_error error) noexcept {
    switch (error) {
        case hello_error::not_json: return "the hello is not one JSON object";
        case hello_error::too_long: return "the hello is longer than 4096 bytes";
        case hello_error::unknown_member:
            return "the hello has a member other than type, producer, ack, token and source";
        case hello_error::duplicate_member: return "the hello has the same member twice";
        case hello_error::wrong_type: return "every member of the hello is a string";
        case hello_error::producer_missing: return "the hello names no producer";
        case hello_error::producer_invalid:
            return "a producer's name has 1 to 100 characters and no control characters";
        case hello_error::ack_invalid: return "ack is committed, spooled or none";
        case hello_error::source_invalid:
            return "a source has 1 to 50 characters and no control characters";
    }
    return {};
}

bool looks_like_hello(std::string_view line) noexcept {
    // Nearly every first line that is no hello ends here.
    if (line.substr(0, limits::hello_bytes_max).find("\"hello\"") == std::string_view::npos) {
        return false;
    }
    const std::optional<std::string_view> type = find_member(line, "type");
    return type && type->starts_with("\"hello\"");
}

std::expected<hello, hello_error> parse_hello(std::string_view line) {
    if (line.size() > limits::hello_bytes_max) return std::unexpected(hello_error::too_long);
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(line.data(), line.size()).get_object().get(object) != simdjson::SUCCESS) {
        return std::unexpected(hello_error::not_json);
    }
    hello out;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : object) {
        if (std::ranges::contains(names, name)) {
            return std::unexpected(hello_error::duplicate_member);
        }
        names.push_back(name);
        const std::optional<hello_error> error = take_member(name, value, out);
        if (error) return std::unexpected(*error);
    }
    if (out.producer.empty()) return std::unexpected(hello_error::producer_missing);
    return out;
}

std::string to_line(const hello& from) {
    byte_buffer line;
    const auto member = [&line](std::string_view name, std::string_view value) {
        line.append(",\"");
        line.append(name);
        line.append("\":");
        append_string_literal(value, line);
    };
    line.append(R"({"type":"hello")");
    member("producer", from.producer);
    member("ack", to_string(from.ack));
    if (!from.token.empty()) member("token", from.token);
    if (!from.source.empty()) member("source", from.source);
    line.append("}\n");
    return std::string(line.view());
}

}  // namespace ingest
