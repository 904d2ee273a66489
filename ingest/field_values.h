// One field's value, from the token that simdjson On-Demand stands at to the type of its column.
// Included only where simdjson is: it is a heavy header.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "ingest/decimal.h"
#include "ingest/record.h"
#include "ingest/utf8.h"
#include "ingest/uuid.h"
#include "ingest/verdict.h"

namespace ingest {

enum class token_kind : std::uint8_t {
    string,
    bare,  // a number, or something that is not JSON
    null,
    boolean,
    object,
    array,
    broken,  // no value at all: `,` `:` `]` `}`
};

// `raw` is a part of the line: of a string what is between the quotes, escapes untouched; of a
// bare token all of it.
struct value_token {
    token_kind kind = token_kind::broken;
    std::string_view raw;
};

// Where `value` stands, without consuming it.
[[nodiscard]] inline value_token token_of(simdjson::ondemand::value& value) noexcept {
    std::string_view token = value.raw_json_token();
    while (token.size() > 1 && (token.back() == ' ' || token.back() == '\t' ||
                                token.back() == '\r' || token.back() == '\n')) {
        token.remove_suffix(1);
    }
    switch (token.empty() ? '\0' : token.front()) {
        case '"': return {token_kind::string, token.substr(1, token.size() - 2)};
        case '{': return {token_kind::object, token};
        case '[': return {token_kind::array, token};
        case '}':
        case ']':
        case ',':
        case ':': return {token_kind::broken, token};
        case 'n':
            if (token == "null") return {token_kind::null, token};
            break;
        case 't':
        case 'f':
            if (token == "true" || token == "false") return {token_kind::boolean, token};
            break;
        default: break;
    }
    return {token_kind::bare, token};
}

// Steps behind a string, also one that was read already. simdjson passes over other scalars by
// itself, but a string not consumed it takes for a key when a ':' follows: `{"a":"b":1}}` would be
// read to its end.
inline void consume_string(simdjson::ondemand::value& value) noexcept {
    [[maybe_unused]] const simdjson::error_code never = value.get_raw_json_string().error();
}

// The readers below take a token, as two values that stay in registers, and the value it was read
// from. A token of another type than theirs gives wrong_type, or not_json when it is nothing that
// JSON knows. `null` is not theirs: the caller has dealt with it. Decoded texts lie in the line, or
// in the parser's memory when they had escapes. On refusal `out` is not meaningful.

// Why a token that no reader has a use for is refused: wrong_type or not_json.
[[nodiscard]] verdict misfit(token_kind kind, std::string_view raw) noexcept;

// Why a string, whose text between its quotes is `raw`, could not be decoded: nul_character,
// lone_surrogate or not_json. For refused lines only: it allocates.
[[nodiscard]] verdict why_not_decoded(std::string_view raw);

// A string's text. Verdicts: nul_character, lone_surrogate, not_json, wrong_type.
[[nodiscard]] inline verdict read_string(token_kind kind, std::string_view raw,
                                         simdjson::ondemand::value& value, std::string_view& out);

enum class empty_texts : bool { refused, allowed };

// Verdicts: empty_text, text_too_long, and those of a string.
[[nodiscard]] inline verdict read_text(token_kind kind, std::string_view raw,
                                       simdjson::ondemand::value& value, std::size_t chars_max,
                                       empty_texts empty, std::string_view& out);

// A JSON number or a string that holds one. Verdicts: not_decimal, not_finite, too_precise,
// out_of_range, and those of a string.
[[nodiscard]] inline verdict read_decimal(token_kind kind, std::string_view raw,
                                          simdjson::ondemand::value& value, excess_digits excess,
                                          int128 limit, int128& out);

// An RFC 3339 string or an integer epoch, within the years 0001 to 9999. Verdicts: time_invalid,
// leap_second, and those of a string.
[[nodiscard]] verdict read_time(token_kind kind, std::string_view raw,
                                simdjson::ondemand::value& value, std::int64_t& out_us);

// Verdicts: uuid_invalid, and those of a string.
[[nodiscard]] verdict read_uuid(token_kind kind, std::string_view raw,
                                simdjson::ondemand::value& value, std::optional<uuid>& out);

// Verdicts: seq_invalid for any value but an integer from 1 to 2^63-1; not_json.
[[nodiscard]] verdict read_seq(token_kind kind, std::string_view raw, std::uint64_t& out) noexcept;

// `tick` or `activity`. Verdicts: unknown_type, and those of a string.
[[nodiscard]] verdict read_kind(token_kind kind, std::string_view raw,
                                simdjson::ondemand::value& value, record_kind& out);

// --- inline, for record_fields::add_all, which says why ---

namespace detail {

// Texts are a few bytes long: a call of memchr costs more than this does.
[[nodiscard]] inline bool has_backslash(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t marks = 0;
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        word ^= ones * '\\';
        marks |= (word - ones) & ~word;
    }
    bool found = (marks & (ones * 0x80)) != 0;
    for (; left != 0; ++at, --left) found = found || *at == '\\';
    return found;
}

// For a string with escapes, and for what is no string.
[[nodiscard]] verdict read_other_string(token_kind kind, std::string_view raw,
                                        simdjson::ondemand::value& value, std::string_view& out);

[[nodiscard]] verdict from_error(decimal_error error) noexcept;

}  // namespace detail

inline verdict read_string(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                           std::string_view& out) {
    if (kind != token_kind::string || detail::has_backslash(raw)) {
        return detail::read_other_string(kind, raw, value, out);
    }
    out = raw;
    return verdict::accepted;
}

inline verdict read_text(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                         std::size_t chars_max, empty_texts empty, std::string_view& out) {
    const verdict read = read_string(kind, raw, value, out);
    if (read != verdict::accepted) return read;
    if (out.empty() && empty == empty_texts::refused) return verdict::empty_text;
    return longer_than(out, chars_max) ? verdict::text_too_long : verdict::accepted;
}

inline verdict read_decimal(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                            excess_digits excess, int128 limit, int128& out) {
    std::string_view text = raw;
    if (kind != token_kind::bare) {
        const verdict read = read_string(kind, raw, value, text);
        if (read != verdict::accepted) return read;
    }
    const decimal_result parsed = parse_decimal(text, excess, limit);
    out = parsed.value;
    if (parsed.error == decimal_error::none) return verdict::accepted;
    // A bare NaN is no JSON either, but it is what Python writes: it gets its own name.
    if (kind == token_kind::bare && parsed.error == decimal_error::not_decimal) {
        return verdict::not_json;
    }
    return detail::from_error(parsed.error);
}

}  // namespace ingest
