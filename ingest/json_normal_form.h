// JSON in the text form that PostgreSQL's jsonb prints, so that what is hashed here is what the
// server stores: `normal_form(x) == (x::jsonb)::text`, or both refuse.
//
// The rules (PostgreSQL's jsonb_util.c, json.c, numeric.c): keys sorted by UTF-8 length, then by
// bytes; one space after ':' and ','; escapes decoded and only `\" \\ \b \f \n \r \t` and
// \u00xx for other control characters written; numbers as NUMERIC prints them, exponents expanded,
// trailing zeros kept, no negative zero. Stricter than the server by design: duplicate keys, over
// 400 digits or an exponent beyond 400 are refused, and depth and size are limited.
#pragma once

#include <cstdint>
#include <string_view>

#include "ingest/byte_buffer.h"
#include "ingest/json_scratch.h"
#include "ingest/verdict.h"

namespace ingest {

class json_normalizer {
public:
    // Appends the normal form of one whole JSON text to `out`. On refusal `out` is as it was.
    // `json` may lie anywhere: nothing outside it is read. `depth_max` counts the levels of arrays
    // and objects allowed. One normalizer per thread; no allocation in steady state.
    // Verdicts: not_json (also for empty text and a byte order mark), not_utf8, nested_too_deep,
    // duplicate_key, nul_character, lone_surrogate, number_too_long, value_too_long.
    [[nodiscard]] verdict normalize(std::string_view json, std::uint32_t depth_max,
                                    byte_buffer& out);

private:
    json_scratch scratch_;
};

}  // namespace ingest
