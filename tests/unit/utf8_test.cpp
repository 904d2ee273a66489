#include "ingest/utf8.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <random>
#include <string>

namespace {

// Characters of one to four bytes, at the ends of each range.
const std::string characters[] = {"a",      "\x7F",         "\xC2\x80",         "\xDF\xBF",
                                  "\u20AC", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};

}  // namespace

TEST_CASE("code points are counted, not bytes", "[utf8]") {
    CHECK(ingest::count_code_points("") == 0);
    CHECK(ingest::count_code_points("BTCUSDT") == 7);
    CHECK(ingest::count_code_points("\u20AC\u20AC\u20AC") == 3);
    CHECK(ingest::count_code_points("a\U0001F600b") == 3);
}

TEST_CASE("any mixture of lengths counts the same at every alignment", "[utf8]") {
    std::mt19937_64 random(1);
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        const std::size_t expected = random() % 70;
        for (std::size_t i = 0; i < expected; ++i) text += characters[random() % 8];
        const std::string shifted = "x" + text;
        REQUIRE(ingest::count_code_points(text) == expected);
        REQUIRE(ingest::count_code_points(std::string_view(shifted).substr(1)) == expected);
    }
}

TEST_CASE("a run of nothing but long characters does not overflow a word's count", "[utf8]") {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "\xF0\x9F\x98\x80";
    CHECK(ingest::count_code_points(text) == 100'000);
}

TEST_CASE("longer_than holds its bound in characters", "[utf8]") {
    for (const std::string& character : characters) {
        std::string text;
        for (int i = 0; i < 20; ++i) text += character;
        CHECK_FALSE(ingest::longer_than(text, 20));
        CHECK(ingest::longer_than(text, 19));
        CHECK(ingest::longer_than(text + "x", 20));
    }
    CHECK_FALSE(ingest::longer_than("", 0));
    CHECK(ingest::longer_than("x", 0));
}
