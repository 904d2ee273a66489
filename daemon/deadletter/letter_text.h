// Dead letters for people and for programs. What a stranger sent must not steer the terminal it is
// shown on: whatever is not plain text is escaped.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "daemon/deadletter/dead_letter.h"

namespace tickd {

// `bytes` on one line: control characters, and those that reorder or hide text, as \u{202e}; bytes
// that are not UTF-8 as \xff.
[[nodiscard]] std::string visible(std::string_view bytes);

// A heading and a line a letter, each at most `columns` wide: id, time, verdict, field, producer,
// seq and as much of the record as there is room for.
[[nodiscard]] std::string letter_table(std::span<const dead_letter> letters, std::size_t columns);

// Everything about one, a line a column, the record last.
[[nodiscard]] std::string letter_sheet(const dead_letter& letter);

// One JSON object without a line end. `raw` is null where the bytes are not UTF-8; `raw_hex` is
// always there.
[[nodiscard]] std::string letter_json(const dead_letter& letter);

}  // namespace tickd
