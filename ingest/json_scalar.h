// Strings and numbers of JSON: strict RFC 8259 in, PostgreSQL's jsonb text form out.
#pragma once

#include <string_view>

#include "ingest/byte_buffer.h"
#include "ingest/verdict.h"

namespace ingest {

// Writes a JSON string literal, quotes included, in the normal form's escapes. `decoded` is UTF-8
// without U+0000.
void append_string_literal(std::string_view decoded, byte_buffer& out);

// Decodes a JSON string literal, quotes included, and appends its text. Verdicts: not_json,
// nul_character, lone_surrogate. Tells why a parser would not decode it, too.
[[nodiscard]] verdict append_decoded(std::string_view literal, byte_buffer& out);

// Appends a JSON number token in NUMERIC's text form. Verdicts: not_json, number_too_long.
[[nodiscard]] verdict append_number(std::string_view token, byte_buffer& out);

// The same where a literal's end is not known. `at` is behind the opening quote (at the number's
// first byte) and is moved behind the literal; nothing at or behind `end` is read.
// `escaped`: the normal form has escapes, so it is not the decoded text.
[[nodiscard]] verdict copy_string(const char*& at, const char* end, byte_buffer& out,
                                  bool& escaped);
[[nodiscard]] verdict copy_number(const char*& at, const char* end, byte_buffer& out);

}  // namespace ingest
