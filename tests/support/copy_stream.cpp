#include "tests/support/copy_stream.h"

#include <stdexcept>

namespace tickd::test {

namespace {

class reader {
public:
    explicit reader(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] bool skip(std::string_view expected) {
        if (!bytes_.starts_with(expected)) return false;
        bytes_.remove_prefix(expected.size());
        return true;
    }
    // Big-endian, two's complement.
    [[nodiscard]] std::optional<std::int64_t> number(std::size_t width) {
        if (bytes_.size() < width) return std::nullopt;
        std::uint64_t value = (bytes_[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        for (const char byte : bytes_.substr(0, width)) {
            value = (value << 8U) | static_cast<unsigned char>(byte);
        }
        bytes_.remove_prefix(width);
        return static_cast<std::int64_t>(value);
    }
    [[nodiscard]] std::optional<std::string_view> take(std::size_t length) {
        if (bytes_.size() < length) return std::nullopt;
        const std::string_view taken = bytes_.substr(0, length);
        bytes_.remove_prefix(length);
        return taken;
    }
    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

private:
    std::string_view bytes_;
};

[[nodiscard]] bool read_tuple(reader& from, std::int64_t fields, copy_tuple& into) {
    for (std::int64_t i = 0; i < fields; ++i) {
        const auto length = from.number(4);
        if (!length || *length < -1) return false;
        if (*length == -1) {
            into.emplace_back();
            continue;
        }
        const auto bytes = from.take(static_cast<std::size_t>(*length));
        if (!bytes) return false;
        into.emplace_back(*bytes);
    }
    return true;
}

}  // namespace

std::optional<std::vector<copy_tuple>> read_copy_stream(std::string_view stream) {
    std::vector<copy_tuple> tuples;
    if (stream.empty()) return tuples;
    reader from(stream);
    constexpr std::string_view signature("PGCOPY\n\xff\r\n\0", 11);
    if (!from.skip(signature) || from.number(4) != 0 || from.number(4) != 0) return std::nullopt;
    for (;;) {
        const auto fields = from.number(2);
        if (!fields) return std::nullopt;
        if (*fields == -1) break;
        if (*fields < 0) return std::nullopt;
        if (!read_tuple(from, *fields, tuples.emplace_back())) return std::nullopt;
    }
    if (!from.at_end()) return std::nullopt;
    return tuples;
}

std::int64_t int8_of(const copy_field& field) {
    if (!field || field->size() != 8) throw std::runtime_error("not an int8 field");
    return *reader(*field).number(8);
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char byte : bytes) {
        hex += digits[static_cast<unsigned char>(byte) >> 4U];
        hex += digits[static_cast<unsigned char>(byte) & 15U];
    }
    return hex;
}

}  // namespace tickd::test
