#include "ingest/json_walk.h"

#include "ingest/json_text.h"
#include "ingest/limits.h"

namespace ingest {
namespace {

// The text of a value, which is consumed: from its first byte to the next token.
simdjson::error_code take_text(simdjson::ondemand::value value, std::string_view& text) {
    const simdjson::error_code error = value.raw_json().get(text);
    if (error != simdjson::SUCCESS || text.empty() || text.front() != '"') return error;
    // A string left unread would be skipped together with a ':' behind it, as if it were a key.
    simdjson::ondemand::raw_json_string ignored;
    return value.get_raw_json_string().get(ignored);
}

verdict append_value(simdjson::ondemand::value value, std::uint32_t depth_max,
                     json_scratch& scratch, byte_buffer& out, std::size_t out_size_max) {
    std::string_view text;
    const simdjson::error_code error = take_text(value, text);
    if (error != simdjson::SUCCESS) return verdict_of(error);
    return json_text(text, scratch, out, out_size_max).whole_value(depth_max);
}

}  // namespace

verdict normalize_value(simdjson::ondemand::value value, std::uint32_t depth_max,
                        json_scratch& scratch, byte_buffer& out) {
    return append_value(value, depth_max, scratch, out, out.size() + limits::normal_form_bytes_max);
}

object_writer::object_writer(json_scratch& scratch, byte_buffer& out,
                             std::uint32_t depth_max) noexcept
    : scratch_(scratch),
      out_(out),
      depth_max_(depth_max),
      out_size_max_(out.size() + limits::normal_form_bytes_max),
      builder_(scratch, out) {}

verdict object_writer::add(std::string_view key, simdjson::ondemand::value value) {
    if (depth_max_ == 0) return verdict::nested_too_deep;
    if (key.contains('\0')) return verdict::nul_character;
    builder_.begin_member();
    const std::size_t literal_begin = out_.size();
    append_string_literal(key, out_);
    const bool escaped = out_.size() - literal_begin != key.size() + 2;
    const verdict kept = builder_.end_key(escaped);
    if (kept != verdict::accepted) return kept;
    return append_value(value, depth_max_ - 1, scratch_, out_, out_size_max_);
}

verdict object_writer::add_all(simdjson::ondemand::object object) {
    std::string_view text;
    const simdjson::error_code error = object.raw_json().get(text);
    if (error != simdjson::SUCCESS) return verdict_of(error);
    return json_text(text, scratch_, out_, out_size_max_).whole_members(builder_, depth_max_);
}

verdict object_writer::finish() { return builder_.close(); }

verdict verdict_of(simdjson::error_code error) noexcept {
    switch (error) {
        case simdjson::SUCCESS: return verdict::accepted;
        case simdjson::UTF8_ERROR: return verdict::not_utf8;
        case simdjson::CAPACITY: return verdict::line_too_long;
        case simdjson::DEPTH_ERROR: return verdict::nested_too_deep;
        case simdjson::NO_SUCH_FIELD: return verdict::missing_field;
        case simdjson::INCORRECT_TYPE: return verdict::wrong_type;
        case simdjson::SCALAR_DOCUMENT_AS_VALUE: return verdict::not_object;
        case simdjson::NUMBER_OUT_OF_RANGE:
        case simdjson::BIGINT_ERROR: return verdict::out_of_range;
        default: return verdict::not_json;
    }
}

}  // namespace ingest
