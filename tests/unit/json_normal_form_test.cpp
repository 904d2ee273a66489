#include "ingest/json_normal_form.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "ingest/json_scalar.h"
#include "ingest/limits.h"
#include "tests/support/json_documents.h"

using ingest::verdict;

namespace {

struct outcome {
    verdict reason;
    std::string text;
};

outcome normalize(std::string_view json, std::uint32_t depth_max = ingest::limits::json_depth_max) {
    static ingest::json_normalizer normalizer;
    // A copy without anything behind it: the sanitizer sees a read past the end.
    const std::vector<char> exact(json.begin(), json.end());
    ingest::byte_buffer out;
    out.append("before");
    const verdict reason = normalizer.normalize({exact.data(), exact.size()}, depth_max, out);
    REQUIRE(out.view().substr(0, 6) == "before");
    if (reason != verdict::accepted) REQUIRE(out.size() == 6);
    return {reason, std::string(out.view().substr(6))};
}

std::string shown(std::string_view text) { return std::string(text.substr(0, 200)); }

// NUMERIC's text of a token, digit by digit: the digit that counts 10^p is looked up by place.
std::string reference_number(const std::string& whole, const std::string& fraction, int exponent,
                             bool negative) {
    const auto digit_at = [&](int power) {
        const int index = static_cast<int>(whole.size()) - 1 + exponent - power;
        const std::string digits = whole + fraction;
        const bool inside = index >= 0 && index < static_cast<int>(digits.size());
        return inside ? digits[static_cast<std::size_t>(index)] : '0';
    };
    std::string integer;
    for (int power = 1'000; power >= 0; --power) integer += digit_at(power);
    integer.erase(0, std::min(integer.find_first_not_of('0'), integer.size() - 1));
    const int decimals = std::max(0, static_cast<int>(fraction.size()) - exponent);
    std::string text = integer;
    if (decimals > 0) text += '.';
    for (int power = -1; power >= -decimals; --power) text += digit_at(power);
    const bool zero = text.find_first_not_of("0.") == std::string::npos;
    return (negative && !zero ? "-" : "") + text;
}

}  // namespace

TEST_CASE("known documents give their normal form or their verdict", "[json_normal_form]") {
    for (const auto& [text, expected, normal] : tickd::test::known_documents()) {
        INFO(shown(text));
        const outcome result = normalize(text);
        REQUIRE(to_string(result.reason) == to_string(expected));
        REQUIRE(result.text == normal);
    }
}

TEST_CASE("depth counts arrays and objects, not scalars", "[json_normal_form]") {
    CHECK(normalize("1", 0).reason == verdict::accepted);
    CHECK(normalize("[]", 0).reason == verdict::nested_too_deep);
    CHECK(normalize("{}", 0).reason == verdict::nested_too_deep);
    CHECK(normalize("[{}]", 1).reason == verdict::nested_too_deep);
    CHECK(normalize("[1]", 1).reason == verdict::accepted);
    CHECK(normalize(R"([{"a":1}])", 2).reason == verdict::accepted);
}

TEST_CASE("a normal form is bounded", "[json_normal_form]") {
    constexpr std::size_t bytes_max = ingest::limits::normal_form_bytes_max;
    SECTION("numbers that expand") {
        std::string text = "[1e400";
        while (text.size() < 100'000) text += ",1e400";
        CHECK(normalize(text + "]").reason == verdict::value_too_long);
    }
    SECTION("the last byte that fits, and one more") {
        const std::string fits = "\"" + std::string(bytes_max - 2, 'x') + "\"";
        CHECK(normalize(fits).reason == verdict::accepted);
        CHECK(normalize("\"x" + fits.substr(1)).reason == verdict::value_too_long);
    }
    SECTION("members of one object") {
        std::string text = "{";
        for (std::size_t i = 0; i < ingest::limits::object_members_max; ++i) {
            text += "\"" + std::to_string(i * 7'919 % 65'536) + "\":0,";
        }
        text.back() = '}';
        CHECK(normalize(text).reason == verdict::accepted);
        text.back() = ',';
        CHECK(normalize(text + "\"x\":0}").reason == verdict::value_too_long);
    }
}

TEST_CASE("a normal form is its own normal form", "[json_normal_form]") {
    tickd::test::document_generator documents(11);
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = documents.next();
        const outcome first = normalize(text);
        if (first.reason != verdict::accepted) continue;
        ++accepted;
        INFO(text);
        const outcome second = normalize(first.text);
        // An exponent within its limit may expand to more digits than a token may have.
        if (second.reason == verdict::number_too_long) {
            REQUIRE(text.find_first_of("eE") != std::string::npos);
            continue;
        }
        REQUIRE(second.reason == verdict::accepted);
        REQUIRE(second.text == first.text);
    }
    CHECK(accepted > 10'000);
}

TEST_CASE("valid documents within the limits are accepted", "[json_normal_form]") {
    tickd::test::document_generator documents(12);
    for (int round = 0; round < 10'000; ++round) {
        const std::string text = documents.next_valid();
        INFO(text);
        REQUIRE(normalize(text).reason == verdict::accepted);
    }
}

TEST_CASE("a document cut short is refused", "[json_normal_form]") {
    const std::string text =
        R"( {"a\u00e9":[1.5e3,"x\ud83d\ude00\n",{"b":null,"a":true}],"c":false})";
    REQUIRE(normalize(text).reason == verdict::accepted);
    for (std::size_t size = 0; size < text.size(); ++size) {
        INFO(size);
        const verdict reason = normalize(text.substr(0, size)).reason;
        CHECK((reason == verdict::not_json || reason == verdict::lone_surrogate));
    }
}

TEST_CASE("member order does not matter", "[json_normal_form]") {
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> members;
        for (std::size_t i = 0; i < 1 + random() % 40; ++i) {
            std::string key = std::to_string(i);
            key += std::string(random() % 12, 'k');
            if (random() % 5 == 0) key += R"(\n)";
            members.push_back("\"" + key + "\":{\"z\":" + std::to_string(i) + ",\"y\":[]}");
        }
        const auto joined = [&members] {
            std::string text;
            for (const std::string& member : members) text += (text.empty() ? "{" : ",") + member;
            return text + "}";
        };
        const outcome first = normalize(joined());
        REQUIRE(first.reason == verdict::accepted);
        for (int order = 0; order < 5; ++order) {
            std::ranges::shuffle(members, random);
            REQUIRE(normalize(joined()).text == first.text);
        }
        members.push_back(members[random() % members.size()]);
        std::ranges::shuffle(members, random);
        REQUIRE(normalize(joined()).reason == verdict::duplicate_key);
    }
}

TEST_CASE("numbers agree with arithmetic by place", "[json_normal_form]") {
    std::mt19937_64 random(9);
    const auto digits = [&random](std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += "0123456789000"[random() % 13];
        return text;
    };
    ingest::byte_buffer out;
    for (int round = 0; round < 10'000; ++round) {
        std::string whole = digits(1 + random() % 12);
        whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
        const std::string fraction = digits(random() % 12);
        const int exponent = random() % 2 == 0 ? 0 : static_cast<int>(random() % 41) - 20;
        const bool negative = random() % 3 == 0;
        std::string token = (negative ? "-" : "") + whole;
        if (!fraction.empty()) token += "." + fraction;
        if (exponent != 0) token += "E" + std::to_string(exponent);
        INFO(token);
        out.clear();
        REQUIRE(ingest::append_number(token, out) == verdict::accepted);
        REQUIRE(out.view() == reference_number(whole, fraction, exponent, negative));
    }
}

TEST_CASE("append_number takes one whole token", "[json_normal_form]") {
    ingest::byte_buffer out;
    for (const std::string token : {"", " 1", "1 ", "1,", "1x", "-", "1e"}) {
        INFO(token);
        CHECK(ingest::append_number(token, out) == verdict::not_json);
        CHECK(out.size() == 0);
    }
    CHECK(ingest::append_number("1e401x", out) == verdict::not_json);
    CHECK(ingest::append_number("1e401", out) == verdict::number_too_long);
}

TEST_CASE("text, its literal and its decoded literal are the same", "[json_normal_form]") {
    std::mt19937_64 random(13);
    ingest::byte_buffer literal, decoded;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t i = random() % 40; i > 0; --i) {
            text += random() % 3 == 0 ? static_cast<char>(1 + random() % 127) : 'q';
            if (random() % 9 == 0) text += "\xE2\x82\xAC";
        }
        literal.clear();
        decoded.clear();
        ingest::append_string_literal(text, literal);
        REQUIRE(ingest::append_decoded(literal.view(), decoded) == verdict::accepted);
        REQUIRE(decoded.view() == text);
        REQUIRE(normalize(literal.view()).text == literal.view());
    }
}

TEST_CASE("a literal that cannot be decoded says why", "[json_normal_form]") {
    ingest::byte_buffer out;
    CHECK(ingest::append_decoded(R"("\ud800")", out) == verdict::lone_surrogate);
    CHECK(ingest::append_decoded(R"("\udc00")", out) == verdict::lone_surrogate);
    CHECK(ingest::append_decoded(R"("\u0000")", out) == verdict::nul_character);
    for (const std::string literal :
         {R"("\q")", R"("\u12")", R"("a"b")", R"("\")", R"(")", "", "a", R"("a)", "\"\n\""}) {
        INFO(literal);
        CHECK(ingest::append_decoded(literal, out) == verdict::not_json);
    }
}
