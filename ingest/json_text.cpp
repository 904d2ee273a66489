#include "ingest/json_text.h"

#include <cstring>

#include "ingest/json_scalar.h"

namespace ingest {

verdict json_text::whole_value(std::uint32_t depth_max) {
    const verdict read = value(depth_max);
    return read == verdict::accepted ? nothing_left() : read;
}

verdict json_text::whole_members(object_builder& object, std::uint32_t depth_max) {
    const char* rest = nullptr;
    const verdict read = first_members(object, depth_max, rest);
    return read == verdict::accepted ? nothing_left() : read;
}

verdict json_text::first_members(object_builder& object, std::uint32_t depth_max,
                                 const char*& rest) {
    if (!take('{')) return verdict::not_json;
    if (depth_max == 0) return verdict::nested_too_deep;
    const verdict read = members(object, depth_max);
    rest = at_;
    return read;
}

verdict json_text::value(std::uint32_t depth_max) {
    skip_white();
    if (at_ == end_) return verdict::not_json;
    verdict read = verdict::accepted;
    switch (*at_) {
        case '"': {
            bool escaped = false;
            read = copy_string(++at_, end_, out_, escaped);
            break;
        }
        case '{': read = object(depth_max); break;
        case '[': read = array(depth_max); break;
        case 't': read = word("true"); break;
        case 'f': read = word("false"); break;
        case 'n': read = word("null"); break;
        default: read = copy_number(at_, end_, out_); break;
    }
    if (read == verdict::accepted && out_.size() > out_size_max_) return verdict::value_too_long;
    return read;
}

verdict json_text::array(std::uint32_t depth_max) {
    if (depth_max == 0) return verdict::nested_too_deep;
    ++at_;
    out_.push_back('[');
    if (!take(']')) {
        for (;;) {
            const verdict read = value(depth_max - 1);
            if (read != verdict::accepted) return read;
            if (take(']')) break;
            if (!take(',')) return verdict::not_json;
            out_.append(", ");
        }
    }
    out_.push_back(']');
    return verdict::accepted;
}

verdict json_text::object(std::uint32_t depth_max) {
    if (depth_max == 0) return verdict::nested_too_deep;
    ++at_;
    object_builder object(scratch_, out_);
    const verdict read = members(object, depth_max);
    return read == verdict::accepted ? object.close() : read;
}

verdict json_text::members(object_builder& object, std::uint32_t depth_max) {
    if (take('}')) return verdict::accepted;
    for (;;) {
        const verdict read = member(object, depth_max);
        if (read != verdict::accepted) return read;
        if (take('}')) return verdict::accepted;
        if (!take(',')) return verdict::not_json;
    }
}

verdict json_text::member(object_builder& object, std::uint32_t depth_max) {
    if (!take('"')) return verdict::not_json;
    object.begin_member();
    bool escaped = false;
    const verdict key = copy_string(at_, end_, out_, escaped);
    if (key != verdict::accepted) return key;
    const verdict kept = object.end_key(escaped);
    if (kept != verdict::accepted) return kept;
    if (!take(':')) return verdict::not_json;
    return value(depth_max - 1);
}

verdict json_text::word(std::string_view expected) {
    if (static_cast<std::size_t>(end_ - at_) < expected.size() ||
        std::memcmp(at_, expected.data(), expected.size()) != 0) {
        return verdict::not_json;
    }
    at_ += expected.size();
    out_.append(expected);
    return verdict::accepted;
}

verdict json_text::nothing_left() noexcept {
    skip_white();
    return at_ == end_ ? verdict::accepted : verdict::not_json;
}

void json_text::skip_white() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool json_text::take(char c) noexcept {
    skip_white();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
}

}  // namespace ingest
