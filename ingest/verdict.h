// What became of a record. Every verdict is a metric label, a dead letter's reason and a word of
// the wire protocol, so a name, once released, stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ingest {

enum class verdict : std::uint8_t {
    accepted = 0,
    // --- the line ---
    not_json,         // not one JSON text
    not_object,       // JSON, but not an object
    not_utf8,         // bytes that are not UTF-8
    line_too_long,    // over the session's limit; the first 4 KiB are kept
    line_unfinished,  // the connection broke before the newline came
    nested_too_deep,  // deeper than 128
    duplicate_key,    // the same key twice in one object, at any depth
    nul_character,    // \u0000: neither text nor jsonb can hold it
    lone_surrogate,   // half of a surrogate pair: neither can this
    number_too_long,  // over 400 digits or an exponent beyond 400, inside a JSON value
    value_too_long,   // a JSON value whose normal form exceeds its limit
    // --- the fields ---
    unknown_type,   // `type` is neither tick nor activity, or nothing tells which it is
    unknown_field,  // with `unknown_fields: reject` only
    missing_field,  // a required field is absent or null
    wrong_type,     // a field of another JSON type than the protocol's
    empty_text,     // a required text is empty
    text_too_long,  // more characters than the column holds
    not_decimal,    // a string that is no decimal number
    not_finite,     // NaN or an infinity
    too_precise,    // more than 8 decimals (with `excess_digits: reject`)
    out_of_range,   // beyond what the column holds
    negative_volume,
    time_invalid,        // no RFC 3339 time with a zone, no integer epoch
    leap_second,         // hh:59:60 names an instant that a count of microseconds cannot
    time_too_far_ahead,  // further ahead of the daemon's clock than `future_limit`
    time_too_old,        // older than `past_limit`
    uuid_invalid,
    seq_invalid,         // not an integer from 1 to 2^63-1
    tenant_not_allowed,  // names a tenant that the session's credential does not
    // --- the server ---
    refused_by_server,  // the database read the row and would not have it
};

inline constexpr std::uint8_t verdict_count =
    static_cast<std::uint8_t>(verdict::refused_by_server) + 1;

// The name used on the wire, in the dead-letter table and as a metric label. Static storage.
[[nodiscard]] std::string_view to_string(verdict v) noexcept;

// The inverse of to_string; nothing for a word that is no verdict.
[[nodiscard]] std::optional<verdict> verdict_from(std::string_view name) noexcept;

// One sentence for people, without the field's name. Static storage.
[[nodiscard]] std::string_view explain(verdict v) noexcept;

// A verdict and the field it is about. `field` names static storage; empty: the line as a whole.
struct refusal {
    verdict reason = verdict::accepted;
    std::string_view field;

    [[nodiscard]] bool accepted() const noexcept { return reason == verdict::accepted; }
};

}  // namespace ingest
