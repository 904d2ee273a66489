// A field of RFC 4180.
#pragma once

#include <string>
#include <string_view>

namespace tickd {

// Appends it, in quotes when a reader of CSV would take it apart otherwise.
inline void append_csv(std::string_view text, std::string& out) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

}  // namespace tickd
