#include "ingest/verdict.h"

#include <utility>

namespace ingest {

std::string_view to_string(verdict v) noexcept {
    switch (v) {
        case verdict::accepted: return "accepted";
        case verdict::not_json: return "not_json";
        case verdict::not_object: return "not_object";
        case verdict::not_utf8: return "not_utf8";
        case verdict::line_too_long: return "line_too_long";
        case verdict::line_unfinished: return "line_unfinished";
        case verdict::nested_too_deep: return "nested_too_deep";
        case verdict::duplicate_key: return "duplicate_key";
        case verdict::nul_character: return "nul_character";
        case verdict::lone_surrogate: return "lone_surrogate";
        case verdict::number_too_long: return "number_too_long";
        case verdict::value_too_long: return "value_too_long";
        case verdict::unknown_type: return "unknown_type";
        case verdict::unknown_field: return "unknown_field";
        case verdict::missing_field: return "missing_field";
        case verdict::wrong_type: return "wrong_type";
        case verdict::empty_text: return "empty_text";
        case verdict::text_too_long: return "text_too_long";
        case verdict::not_decimal: return "not_decimal";
        case verdict::not_finite: return "not_finite";
        case verdict::too_precise: return "too_precise";
        case verdict::out_of_range: return "out_of_range";
        case verdict::negative_volume: return "negative_volume";
        case verdict::time_invalid: return "time_invalid";
        case verdict::leap_second: return "leap_second";
        case verdict::time_too_far_ahead: return "time_too_far_ahead";
        case verdict::time_too_old: return "time_too_old";
        case verdict::uuid_invalid: return "uuid_invalid";
        case verdict::seq_invalid: return "seq_invalid";
        case verdict::tenant_not_allowed: return "tenant_not_allowed";
        case verdict::refused_by_server: return "refused_by_server";
    }
    std::unreachable();
}

std::optional<verdict> verdict_from(std::string_view name) noexcept {
    for (std::uint8_t i = 0; i < verdict_count; ++i) {
        const auto v = static_cast<verdict>(i);
        if (to_string(v) == name) return v;
    }
    return std::nullopt;
}

std::string_view explain(verdict v) noexcept {
    switch (v) {
        case verdict::accepted: return "The record was accepted.";
        case verdict::not_json: return "The line is not one JSON text.";
        case verdict::not_object: return "The line is JSON, but not an object.";
        case verdict::not_utf8: return "The line has bytes that are not UTF-8.";
        case verdict::line_too_long: return "The line is longer than the session may send.";
        case verdict::line_unfinished: return "The connection ended before the line's newline.";
        case verdict::nested_too_deep: return "Arrays and objects are nested too deeply.";
        case verdict::duplicate_key: return "An object has the same key twice.";
        case verdict::nul_character:
            return "A text has the character U+0000, which cannot be stored.";
        case verdict::lone_surrogate: return "A text has half of a surrogate pair.";
        case verdict::number_too_long:
            return "A number has more than 400 digits or an exponent beyond 400.";
        case verdict::value_too_long: return "A JSON value is too large to be stored.";
        case verdict::unknown_type: return "The record is neither a tick nor an activity event.";
        case verdict::unknown_field:
            return "The field is not known, and unknown fields are refused.";
        case verdict::missing_field: return "A required field is absent or null.";
        case verdict::wrong_type: return "The field has another JSON type than it should.";
        case verdict::empty_text: return "The text is empty, and it is required.";
        case verdict::text_too_long: return "The text has more characters than its column holds.";
        case verdict::not_decimal: return "The text is not a decimal number.";
        case verdict::not_finite: return "The number is not finite.";
        case verdict::too_precise: return "The number has more than eight decimals.";
        case verdict::out_of_range: return "The number is larger than its column holds.";
        case verdict::negative_volume: return "The volume is negative.";
        case verdict::time_invalid:
            return "The time is neither RFC 3339 with a zone nor an integer epoch.";
        case verdict::leap_second: return "The time is a leap second, which cannot be stored.";
        case verdict::time_too_far_ahead: return "The time is too far in the future.";
        case verdict::time_too_old: return "The time is too far in the past.";
        case verdict::uuid_invalid: return "The text is not a UUID.";
        case verdict::seq_invalid: return "The sequence is not an integer from 1 to 2^63-1.";
        case verdict::tenant_not_allowed: return "The credential does not allow this tenant.";
        case verdict::refused_by_server: return "The database read the row and refused it.";
    }
    std::unreachable();
}

}  // namespace ingest
