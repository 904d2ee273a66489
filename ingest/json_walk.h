// The normal form for a value of a document that simdjson On-Demand is walking. Included only
// where simdjson is: it is a heavy header.
//
// On-Demand checks only what it visits, and unescapes only what it is asked to. So it is used to
// find where a value ends, and json_text reads that span strictly. Its first stage has checked
// UTF-8 for the whole document by then.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ingest/byte_buffer.h"
#include "ingest/json_object.h"
#include "ingest/json_scalar.h"
#include "ingest/json_scratch.h"
#include "ingest/verdict.h"

namespace ingest {

// Appends the normal form of `value` (any JSON value, not yet read) to `out` and consumes it.
// `depth_max` counts the levels of arrays and objects still allowed. On refusal `out` holds a
// part: the caller truncates. Never throws on bad input.
[[nodiscard]] verdict normalize_value(simdjson::ondemand::value value, std::uint32_t depth_max,
                                      json_scratch& scratch, byte_buffer& out);

// An object written member by member, as for a record's unknown fields: begin, then add or
// add_all in any order, then finish, which sorts and refuses duplicates. After any verdict other
// than accepted it is of no more use, and the caller truncates `out`.
// Between construction and finish nothing else may be appended to `out`; other values may use
// `scratch` meanwhile. Nothing is written before the first member.
class object_writer {
public:
    // `depth_max` counts levels as above, this object's own among them.
    object_writer(json_scratch& scratch, byte_buffer& out, std::uint32_t depth_max) noexcept;

    // One member; `key` is decoded text.
    [[nodiscard]] verdict add(std::string_view key, simdjson::ondemand::value value);
    // Every member of `object`, of which nothing has been read.
    [[nodiscard]] verdict add_all(simdjson::ondemand::object object);
    [[nodiscard]] bool empty() const noexcept { return builder_.empty(); }
    // Writes the object's text to `out`, from where `out` ended at construction.
    [[nodiscard]] verdict finish();

private:
    json_scratch& scratch_;
    byte_buffer& out_;
    std::uint32_t depth_max_;
    std::size_t out_size_max_;
    object_builder builder_;
};

// What simdjson's error means to a sender. STRING_ERROR gives not_json: append_decoded of the
// token tells a bad escape from a lone surrogate.
[[nodiscard]] verdict verdict_of(simdjson::error_code error) noexcept;

}  // namespace ingest
