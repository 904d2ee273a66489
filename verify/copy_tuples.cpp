#include "verify/copy_tuples.h"

namespace verify {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view signature = "PGCOPY\n\xff\r\n\0"sv;

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
    return value;
}

std::int32_t int4_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(big_endian(bytes.substr(at, 4))));
}

}  // namespace

void copy_reader::give(std::string_view bytes) {
    if (rest_.empty()) {
        rest_ = bytes;
        return;
    }
    keep();
    kept_.append(bytes);
    rest_ = kept_;
}

void copy_reader::keep() {
    if (rest_.empty()) return;
    kept_ = std::string(rest_);
    rest_ = kept_;
}

bool copy_reader::take_header() {
    constexpr std::size_t fixed = signature.size() + 8;
    if (rest_.size() < fixed) return false;
    const auto extension = static_cast<std::uint32_t>(int4_at(rest_, signature.size() + 4));
    if (!rest_.starts_with(signature) || extension > 4096) {
        wrong_ = true;
        return false;
    }
    if (rest_.size() < fixed + extension) return false;
    rest_.remove_prefix(fixed + extension);
    header_taken_ = true;
    return true;
}

bool copy_reader::parse(std::string_view from, std::size_t& taken) {
    std::size_t at = 2;
    tuple_.fields.clear();
    tuple_.starts.clear();
    for (std::size_t i = 0; i < field_count_; ++i) {
        if (from.size() < at + 4) return false;
        const std::int32_t length = int4_at(from, at);
        tuple_.starts.push_back(at - 2);
        at += 4;
        if (length == -1) {
            tuple_.fields.emplace_back();
            continue;
        }
        if (length < 0) {
            wrong_ = true;
            return false;
        }
        const auto size = static_cast<std::size_t>(length);
        if (from.size() - at < size) return false;
        tuple_.fields.emplace_back(from.substr(at, size));
        at += size;
    }
    tuple_.bytes = from.substr(2, at - 2);
    taken = at;
    return true;
}

const copy_tuple* copy_reader::next() {
    if (wrong_ || ended_) {
        wrong_ = wrong_ || !rest_.empty();
        return nullptr;
    }
    if ((!header_taken_ && !take_header()) || rest_.size() < 2) return nullptr;
    const std::uint64_t count = big_endian(rest_.substr(0, 2));
    if (count == 0xffff) {
        rest_.remove_prefix(2);
        ended_ = true;
        wrong_ = !rest_.empty();
        return nullptr;
    }
    if (count != field_count_) {
        wrong_ = true;
        return nullptr;
    }
    std::size_t taken = 0;
    if (!parse(rest_, taken)) return nullptr;
    rest_.remove_prefix(taken);
    return &tuple_;
}

std::optional<std::int64_t> int8_of(const copy_field& field) {
    if (!field || field->size() != 8) return std::nullopt;
    return static_cast<std::int64_t>(big_endian(*field));
}

std::optional<std::int32_t> int4_of(const copy_field& field) {
    if (!field || field->size() != 4) return std::nullopt;
    return int4_at(*field, 0);
}

std::optional<std::vector<std::string_view>> bytea_array_of(const copy_field& field) {
    // int32 dimensions | int32 has NULLs | int32 type | per dimension: int32 length, lower bound |
    // per element: int32 length, bytes
    if (!field || field->size() < 12) return std::nullopt;
    std::vector<std::string_view> elements;
    const std::int32_t dimensions = int4_at(*field, 0);
    if (dimensions == 0) return elements;
    if (dimensions != 1 || field->size() < 20) return std::nullopt;
    const std::int32_t count = int4_at(*field, 12);
    std::string_view rest = field->substr(20);
    for (std::int32_t i = 0; i < count; ++i) {
        if (rest.size() < 4) return std::nullopt;
        const std::int32_t length = int4_at(rest, 0);
        if (length < 0 || rest.size() - 4 < static_cast<std::size_t>(length)) return std::nullopt;
        elements.push_back(rest.substr(4, static_cast<std::size_t>(length)));
        rest.remove_prefix(4 + static_cast<std::size_t>(length));
    }
    return elements;
}

}  // namespace verify
