#include "ingest/session_messages.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstddef>

#include "ingest/json_scalar.h"

namespace ingest {

namespace {

void append_number(std::uint64_t number, byte_buffer& out) {
    std::array<char, 20> digits{};
    const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append({digits.data(), end});
}

void append_text_member(std::string_view name, std::string_view value, byte_buffer& out) {
    out.append(",\"");
    out.append(name);
    out.append("\":");
    append_string_literal(value, out);
}

using object = simdjson::dom::object;

// A member's text, or number; nothing when it is absent or of another type.
[[nodiscard]] std::optional<std::string> text_of(object from, std::string_view name) {
    std::string_view text;
    if (from[name].get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}
[[nodiscard]] std::optional<std::uint64_t> number_of(object from, std::string_view name) {
    std::uint64_t number = 0;
    if (from[name].get_uint64().get(number) != simdjson::SUCCESS) return std::nullopt;
    return number;
}

[[nodiscard]] std::optional<daemon_message> welcome_of(object from) {
    const auto version = number_of(from, "version");
    const auto producer = text_of(from, "producer");
    const auto resume_after = number_of(from, "resume_after");
    const auto level = ack_level_from(text_of(from, "ack").value_or(""));
    const auto line_bytes_max = number_of(from, "max_line_bytes");
    if (!version || !producer || !resume_after || !level || !line_bytes_max) return std::nullopt;
    return welcome_message{*version, *producer, *resume_after, *level, *line_bytes_max};
}

[[nodiscard]] std::optional<daemon_message> reject_of(object from) {
    std::uint64_t seq = 0;
    simdjson::dom::element element;
    if (from["seq"].get(element) != simdjson::SUCCESS) return std::nullopt;
    if (!element.is_null() && element.get_uint64().get(seq) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    const auto reason = text_of(from, "verdict");
    if (!reason) return std::nullopt;
    return reject_message{seq, *reason, text_of(from, "detail").value_or("")};
}

}  // namespace

std::string_view to_string(session_error code) noexcept {
    switch (code) {
        case session_error::bad_hello: return "bad_hello";
        case session_error::unauthorized: return "unauthorized";
        case session_error::superseded: return "superseded";
        case session_error::seq_missing: return "seq_missing";
        case session_error::rejects_overflow: return "rejects_overflow";
        case session_error::shutting_down: return "shutting_down";
        case session_error::internal: return "internal";
        case session_error::idle_timeout: return "idle_timeout";
        case session_error::too_many_sessions: return "too_many_sessions";
        case session_error::unauthenticated: return "unauthenticated";
        case session_error::unavailable: return "unavailable";
    }
    return "internal";
}

std::optional<session_error> session_error_from(std::string_view word) noexcept {
    for (std::uint8_t i = 0; i < session_error_count; ++i) {
        const auto code = static_cast<session_error>(i);
        if (word == to_string(code)) return code;
    }
    return std::nullopt;
}

void append_welcome(std::string_view producer, std::uint64_t resume_after, ack_level ack,
                    std::size_t line_bytes_max, byte_buffer& out) {
    out.append(R"({"type":"welcome","version":)");
    append_number(wire_version, out);
    append_text_member("producer", producer, out);
    out.append(R"(,"resume_after":)");
    append_number(resume_after, out);
    append_text_member("ack", to_string(ack), out);
    out.append(R"(,"max_line_bytes":)");
    append_number(line_bytes_max, out);
    out.append("}\n");
}

void append_ack(std::uint64_t seq, byte_buffer& out) {
    out.append(R"({"type":"ack","seq":)");
    append_number(seq, out);
    out.append("}\n");
}

void append_reject(std::uint64_t seq, verdict reason, std::string_view detail, byte_buffer& out) {
    out.append(R"({"type":"reject","seq":)");
    if (seq == 0) {
        out.append("null");
    } else {
        append_number(seq, out);
    }
    append_text_member("verdict", to_string(reason), out);
    append_text_member("detail", detail, out);
    out.append("}\n");
}

void append_error(session_error code, std::string_view detail, byte_buffer& out) {
    out.append(R"({"type":"error")");
    append_text_member("code", to_string(code), out);
    append_text_member("detail", detail, out);
    out.append("}\n");
}

void append_drain(byte_buffer& out) { out.append("{\"type\":\"drain\"}\n"); }

std::optional<daemon_message> parse_daemon_message(std::string_view line) {
    simdjson::dom::parser parser;
    object from;
    if (parser.parse(line.data(), line.size()).get_object().get(from) != simdjson::SUCCESS)
        return std::nullopt;
    const std::optional<std::string> type = text_of(from, "type");
    if (!type) return std::nullopt;
    if (*type == "welcome") return welcome_of(from);
    if (*type == "reject") return reject_of(from);
    if (*type == "drain") return drain_message{};
    if (*type == "ack") {
        const auto seq = number_of(from, "seq");
        return seq ? std::optional<daemon_message>(ack_message{*seq}) : std::nullopt;
    }
    if (*type == "error") {
        const auto code = text_of(from, "code");
        if (!code) return std::nullopt;
        return error_message{*code, text_of(from, "detail").value_or("")};
    }
    return unknown_message{*type};
}

}  // namespace ingest
