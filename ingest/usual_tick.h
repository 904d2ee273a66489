// The usual tick, read in one pass over its line.
//
// Nearly every line of a feed is a flat object of known members, without an escape, in ASCII. That
// is read here, straight from its bytes, in two fifths of what a walk with simdjson costs
// (ARCHITECTURE.md). Whatever is not quite so is left to that walk: this only ever accepts, and
// no verdict is decided here.
#pragma once

#include <cstdint>
#include <string_view>

#include "ingest/record.h"
#include "ingest/record_fields.h"

namespace ingest {

// True: `out`, which was fresh, is what record_fields makes of the line; texts lie in the line, the
// metadata in `memory`, which was clear. False: nothing is known, and both are to be cleared.
// `line_padding_bytes` behind the line are readable; what they are does not matter.
[[nodiscard]] bool read_usual_tick(std::string_view line, const record_rules& rules,
                                   optional_text session_source, std::int64_t now_us,
                                   record_memory& memory, record& out);

}  // namespace ingest
