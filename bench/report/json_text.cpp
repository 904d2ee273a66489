#include "bench/report/json_text.h"

// The one place where Boost.JSON is compiled.
#include <boost/json/src.hpp>

#include <algorithm>

namespace bench {

namespace {

namespace json = boost::json;

bool is_flat(const json::value& value) {
    if (const json::object* object = value.if_object()) {
        return std::ranges::none_of(
            *object, [](const auto& member) { return member.value().is_structured(); });
    }
    const json::array* array = value.if_array();
    return array == nullptr || std::ranges::none_of(*array, &json::value::is_structured);
}

void append(const json::value& value, std::size_t depth, std::string& out) {
    if (is_flat(value)) {
        out += json::serialize(value);
        return;
    }
    const std::string indent(2 * depth + 2, ' ');
    const char* separator = "\n";
    if (const json::object* object = value.if_object()) {
        out += '{';
        for (const auto& member : *object) {
            out.append(separator).append(indent).append(json::serialize(member.key())).append(": ");
            append(member.value(), depth + 1, out);
            separator = ",\n";
        }
        out.append("\n").append(2 * depth, ' ').append("}");
        return;
    }
    out += '[';
    for (const json::value& element : value.get_array()) {
        out.append(separator).append(indent);
        append(element, depth + 1, out);
        separator = ",\n";
    }
    out.append("\n").append(2 * depth, ' ').append("]");
}

}  // namespace

std::string to_json_text(const boost::json::value& value) {
    std::string text;
    append(value, 0, text);
    return text + '\n';
}

}  // namespace bench
