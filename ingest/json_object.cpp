#include "ingest/json_object.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "ingest/json_scalar.h"
#include "ingest/limits.h"

namespace ingest {
namespace {

constexpr std::string_view separator = ", ";

template <typename word>
word load_big_endian(const char* at) noexcept {
    word value = 0;
    std::memcpy(&value, at, sizeof value);
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

// A number that orders keys of the same length as their first eight bytes do. Shorter keys are
// covered by loads that overlap: where the first parts are equal, so is what is read twice.
std::uint64_t prefix_of(const char* key, std::size_t length) noexcept {
    if (length >= 8) return load_big_endian<std::uint64_t>(key);
    if (length >= 4) {
        const std::uint64_t high = load_big_endian<std::uint32_t>(key);
        return (high << 32U) | load_big_endian<std::uint32_t>(key + length - 4);
    }
    if (length == 0) return 0;
    const auto byte = [key](std::size_t i) {
        return std::uint64_t{static_cast<unsigned char>(key[i])};
    };
    return (byte(0) << 16U) | (byte(length / 2) << 8U) | byte(length - 1);
}

}  // namespace

object_builder::object_builder(json_scratch& scratch, byte_buffer& out) noexcept
    : scratch_(scratch),
      out_(out),
      out_begin_(out.size()),
      members_begin_(scratch.members.size()),
      keys_begin_(scratch.keys.size()) {}

object_builder::~object_builder() {
    scratch_.members.resize(members_begin_);
    scratch_.keys.truncate(keys_begin_);
}

void object_builder::begin_member() {
    if (empty()) {
        out_.push_back('{');
    } else {
        out_.append(separator);
    }
    text_begin_ = out_.size() - out_begin_;
}

verdict object_builder::end_key(bool escaped) {
    const std::size_t count = scratch_.members.size() - members_begin_;
    if (count == limits::object_members_max) return verdict::value_too_long;

    const std::size_t literal_begin = out_begin_ + text_begin_;
    const std::string_view literal = out_.view(literal_begin, out_.size() - literal_begin);
    member added{};
    added.text_offset = static_cast<std::uint32_t>(text_begin_);
    added.key_in_keys = escaped;
    if (escaped) {
        added.key_offset = static_cast<std::uint32_t>(scratch_.keys.size());
        const verdict decoded = append_decoded(literal, scratch_.keys);
        if (decoded != verdict::accepted) return decoded;
        added.key_length = static_cast<std::uint32_t>(scratch_.keys.size()) - added.key_offset;
    } else {
        added.key_offset = added.text_offset + 1;
        added.key_length = static_cast<std::uint32_t>(literal.size() - 2);
    }
    added.key_prefix = prefix_of(key_of(added), added.key_length);
    if (count != 0 && ordered_) {
        const int order = compare(scratch_.members.back(), added);
        if (order == 0) return verdict::duplicate_key;
        ordered_ = order < 0;
    }
    scratch_.members.push_back(added);
    out_.append(": ");
    return verdict::accepted;
}

verdict object_builder::close() {
    if (empty()) {
        out_.append("{}");
        return verdict::accepted;
    }
    if (!ordered_) {
        const verdict sorted = sort_members();
        if (sorted != verdict::accepted) return sorted;
    }
    out_.push_back('}');
    return verdict::accepted;
}

const char* object_builder::key_of(const member& m) const noexcept {
    return (m.key_in_keys ? scratch_.keys.data() : out_.data() + out_begin_) + m.key_offset;
}

// By length, then by bytes: below, at or above zero.
int object_builder::compare(const member& left, const member& right) const noexcept {
    if (left.key_length != right.key_length) return left.key_length < right.key_length ? -1 : 1;
    if (left.key_prefix != right.key_prefix) return left.key_prefix < right.key_prefix ? -1 : 1;
    if (left.key_length <= 8) return 0;
    return std::memcmp(key_of(left) + 8, key_of(right) + 8, left.key_length - 8U);
}

verdict object_builder::sort_members() {
    const std::span<member> members = std::span(scratch_.members).subspan(members_begin_);
    const std::size_t text_end = out_.size() - out_begin_;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const std::size_t end =
            i + 1 < members.size() ? members[i + 1].text_offset - separator.size() : text_end;
        members[i].text_length = static_cast<std::uint32_t>(end) - members[i].text_offset;
    }
    std::ranges::sort(members, [this](const member& left, const member& right) {
        return compare(left, right) < 0;
    });
    const auto twin = std::ranges::adjacent_find(
        members,
        [this](const member& left, const member& right) { return compare(left, right) == 0; });
    if (twin != members.end()) return verdict::duplicate_key;

    byte_buffer& sorted = scratch_.sorted;
    sorted.clear();
    for (const member& m : members) {
        if (sorted.size() != 0) sorted.append(separator);
        sorted.append(out_.view(out_begin_ + m.text_offset, m.text_length));
    }
    std::memcpy(out_.data() + out_begin_ + 1, sorted.data(), sorted.size());
    return verdict::accepted;
}

}  // namespace ingest
