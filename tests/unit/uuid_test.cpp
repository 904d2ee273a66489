#include "ingest/uuid.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

using ingest::parse_uuid;

namespace {

const std::string sample = "0f8fad5b-d9cb-469f-a165-70867728950e";

}  // namespace

TEST_CASE("a UUID's bytes stand in network order", "[uuid]") {
    const auto id = parse_uuid("00010203-0405-0607-0809-0a0b0c0d0e0f");
    REQUIRE(id);
    for (std::uint8_t i = 0; i < 16; ++i) CHECK(id->bytes[i] == i);
}

TEST_CASE("any case is read, lower case is written", "[uuid]") {
    const auto id = parse_uuid("0F8FAD5B-D9CB-469f-A165-70867728950E");
    REQUIRE(id);
    CHECK(to_text(*id) == sample);
    CHECK(parse_uuid("ffffffff-FFFF-ffff-FFFF-ffffffffffff")->bytes[15] == 0xFF);
}

TEST_CASE("other spellings are refused", "[uuid]") {
    CHECK_FALSE(parse_uuid(""));
    CHECK_FALSE(parse_uuid("{" + sample + "}"));
    CHECK_FALSE(parse_uuid("0f8fad5bd9cb469fa16570867728950e"));
    CHECK_FALSE(parse_uuid(sample + "0"));
    CHECK_FALSE(parse_uuid(sample.substr(1)));
    CHECK_FALSE(parse_uuid(" " + sample.substr(1)));
    CHECK_FALSE(parse_uuid("0f8fad5-bd9cb-469f-a165-70867728950e"));
}

TEST_CASE("every byte at every place is a digit, a hyphen in its place, or refused", "[uuid]") {
    for (std::size_t place = 0; place < sample.size(); ++place) {
        const bool hyphen = place == 8 || place == 13 || place == 18 || place == 23;
        for (int c = 0; c < 256; ++c) {
            std::string text = sample;
            text[place] = static_cast<char>(c);
            const bool digit =
                (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            REQUIRE(parse_uuid(text).has_value() == (hyphen ? c == '-' : digit));
        }
    }
}

TEST_CASE("text and bytes lead back to each other", "[uuid]") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 2'000; ++round) {
        ingest::uuid id;
        for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random());
        REQUIRE(parse_uuid(to_text(id)) == id);
    }
}
