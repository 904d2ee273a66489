#include "ingest/numeric_wire.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <optional>
#include <random>
#include <string>

#include "tests/unit/vectors.h"

using ingest::decode_numeric;
using ingest::encode_numeric;
using ingest::int128;
using ingest::uint128;

namespace {

std::string encoded(int128 value) {
    std::array<char, ingest::numeric_wire_bytes_max + 1> room{};
    room.fill('\x5A');
    const std::size_t bytes = encode_numeric(value, room.data());
    REQUIRE(bytes <= ingest::numeric_wire_bytes_max);
    for (std::size_t i = bytes; i < room.size(); ++i) REQUIRE(room[i] == '\x5A');
    return {room.data(), bytes};
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += std::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::optional<int128> decoded(std::initializer_list<int> words) {
    std::string bytes;
    for (const int word : words) {
        bytes += static_cast<char>((word >> 8) & 0xFF);
        bytes += static_cast<char>(word & 0xFF);
    }
    return decode_numeric(bytes);
}

int128 parsed(std::string_view integer) {
    const bool negative = integer[0] == '-';
    int128 value = 0;
    for (const char c : integer.substr(negative ? 1 : 0)) value = value * 10 + (c - '0');
    return negative ? -value : value;
}

constexpr int negative_sign = 0x4000;

}  // namespace

TEST_CASE("zero has no digits", "[numeric_wire]") {
    CHECK(hex(encoded(0)) == "0000000000000008");
    CHECK(decoded({0, 0, 0, 8}) == int128{0});
}

TEST_CASE("bytes are the ones the server sends", "[numeric_wire]") {
    const auto lines = tickd::test::vector_lines("numeric_wire.txt");
    REQUIRE(lines.size() > 300);
    for (const std::string& line : lines) {
        const std::size_t space = line.find(' ');
        const int128 value = parsed(line.substr(0, space));
        INFO(line);
        REQUIRE(hex(encoded(value)) == line.substr(space + 1));
        REQUIRE(decode_numeric(encoded(value)) == value);
    }
}

TEST_CASE("every value up to 10^38 leads back to itself", "[numeric_wire]") {
    std::mt19937_64 random(38);
    int128 end = 1;
    for (int i = 0; i < 38; ++i) end *= 10;
    for (int round = 0; round < 100'000; ++round) {
        auto value = static_cast<int128>((uint128{random()} << 64U | random()) >> 1U) % end;
        for (auto cuts = random() % 38; cuts > 0; --cuts) value /= 10;
        for (auto shifts = random() % 5; shifts > 0 && value < end / 10'000; --shifts)
            value *= 10'000;
        if (random() % 2 == 0) value = -value;
        REQUIRE(decode_numeric(encoded(value)) == value);
    }
    CHECK(decode_numeric(encoded(end - 1)) == end - 1);
    CHECK(encoded(static_cast<int128>(~uint128{0} >> 1U)).size() == ingest::numeric_wire_bytes_max);
}

TEST_CASE("any dscale is read", "[numeric_wire]") {
    CHECK(decoded({1, 0, 0, 0, 7}) == int128{700'000'000});                      // 7
    CHECK(decoded({2, 0, negative_sign, 1, 7, 5'000}) == int128{-750'000'000});  // -7.5
    CHECK(decoded({1, 5, 0, 0, 1}) == ingest::volume_limit / 100);               // 10^20
    CHECK(decoded({1, -2, 0, 8, 1}) == int128{1});
    CHECK(decoded({3, -2, 0, 20, 1, 0, 0}) == int128{1});
    CHECK(decoded({2, 0, 0, 0, 0, 0}) == int128{0});
}

TEST_CASE("what is no such value is refused", "[numeric_wire]") {
    CHECK_FALSE(decode_numeric({}));
    CHECK_FALSE(decoded({1, 0, 0xC000, 0, 0}));  // NaN
    CHECK_FALSE(decoded({0, 0, 0xC000, 0}));
    CHECK_FALSE(decoded({0, 0, 0xD000, 0}));     // infinity
    CHECK_FALSE(decoded({0, 0, 0xF000, 0}));     // -infinity
    CHECK_FALSE(decoded({1, 0, 0, 8}));          // a digit short
    CHECK_FALSE(decoded({0, 0, 0, 8, 1}));       // a digit over
    CHECK_FALSE(decoded({1, 0, 0, 8, 10'000}));  // no digit
    CHECK_FALSE(decoded({1, -3, 0, 12, 1}));     // 10^-12
    CHECK_FALSE(decoded({2, -2, 0, 12, 1, 1}));
    CHECK_FALSE(decoded({1, 0, 0, 0x4000, 1}));  // dscale
    CHECK_FALSE(decoded({1, 8, 0, 0, 1}));       // 10^40 units
    CHECK_FALSE(decoded({1, 7, 0, 0, 100}));     // 10^38 units
    CHECK(decoded({1, 7, 0, 0, 99}));
    CHECK_FALSE(decoded({1, 0x7FFF, 0, 0, 1}));
    CHECK_FALSE(decode_numeric(std::string_view("\0\1\0\0\0\0\0\0\0\1\0", 11)));
}
