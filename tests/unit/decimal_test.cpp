#include "ingest/decimal.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>

#include "tests/unit/vectors.h"

using ingest::decimal_error;
using ingest::excess_digits;
using ingest::int128;
using ingest::parse_decimal;
using ingest::price_limit;
using ingest::volume_limit;

namespace {

const std::map<decimal_error, std::string> error_names = {
    {decimal_error::not_decimal, "not_decimal"},
    {decimal_error::not_finite, "not_finite"},
    {decimal_error::too_precise, "too_precise"},
    {decimal_error::out_of_range, "out_of_range"},
};

// The value in units of 10^-8 as an integer's text, or the error's name.
std::string outcome(std::string_view token, excess_digits excess, int128 limit) {
    const auto [value, error] = parse_decimal(token, excess, limit);
    if (error != decimal_error::none) return value == 0 ? error_names.at(error) : "value set";
    std::string text = ingest::to_text(value);
    text.erase(text.find('.'), 1);
    const bool negative = text[0] == '-';
    text.erase(0, std::min(text.find_first_not_of("-0"), text.size() - 1));
    return (negative ? "-" : "") + text;
}

std::string price(std::string_view token) {
    return outcome(token, excess_digits::reject, price_limit);
}
std::string rounded(std::string_view token) {
    return outcome(token, excess_digits::round, price_limit);
}

std::string increment(std::string digits) {
    for (std::size_t i = digits.size(); i-- > 0;) {
        if (digits[i] != '9') {
            ++digits[i];
            return digits;
        }
        digits[i] = '0';
    }
    return "1" + digits;
}

// The slow way: writes the number out as digits around a point, and cuts text. `limit_digits`: the
// value must have fewer digits than 10^limit_digits units.
std::string reference(const std::string& whole, const std::string& fraction, int exponent,
                      bool negative, excess_digits excess, std::size_t limit_digits) {
    std::string digits = std::string(600, '0') + whole + fraction + std::string(600, '0');
    const std::size_t point = static_cast<std::size_t>(600 + std::ssize(whole) + exponent + 8);
    std::string units = digits.substr(0, point);
    const std::string rest = digits.substr(point);
    units.erase(0, std::min(units.find_first_not_of('0'), units.size() - 1));
    if (units.size() > limit_digits) return "out_of_range";
    if (rest.find_first_not_of('0') != std::string::npos) {
        if (excess == excess_digits::reject) return "too_precise";
        if (rest[0] >= '5') units = increment(units);
        if (units.size() > limit_digits) return "out_of_range";
    }
    return (negative && units != "0" ? "-" : "") + units;
}

}  // namespace

TEST_CASE("typical prices are exact", "[decimal]") {
    CHECK(price("0") == "0");
    CHECK(price("-0") == "0");
    CHECK(price("-0.0") == "0");
    CHECK(price("0.1") == "10000000");
    CHECK(price("-0.1") == "-10000000");
    CHECK(price("61744.43") == "6174443000000");
    CHECK(price("1.38665") == "138665000");
    CHECK(price("1E5") == "10000000000000");
    CHECK(price("1e-8") == "1");
    CHECK(price("1.50e1") == "1500000000");
    CHECK(price("1.230e-5") == "1230");
    CHECK(price("0e5") == "0");
    CHECK(price("0.00e-3") == "0");
    CHECK(price("1e+2") == "10000000000");
    CHECK(price("100e-2") == "100000000");
}

TEST_CASE("the ninth decimal is refused or rounded half away from zero", "[decimal]") {
    CHECK(price("1e-9") == "too_precise");
    CHECK(price("0.100000000") == "10000000");
    CHECK(price("0.10000000000000000000000000000000000000000000") == "10000000");
    CHECK(price("0.1000000000000000000000000000000000000000000001") == "too_precise");
    CHECK(rounded("1e-9") == "0");
    CHECK(rounded("-1e-9") == "0");
    CHECK(rounded("0.000000004999999999999999999999999999") == "0");
    CHECK(rounded("0.000000005") == "1");
    CHECK(rounded("-0.000000005") == "-1");
    CHECK(rounded("5e-9") == "1");
    CHECK(rounded("49e-10") == "0");
    CHECK(rounded("0.5e-8") == "1");
    CHECK(rounded("0.05e-8") == "0");
    CHECK(rounded("1.999999995") == "200000000");
    CHECK(rounded("0e-400") == "0");
}

TEST_CASE("limits are exclusive, and rounding may reach them", "[decimal]") {
    CHECK(price("999999999999.99999999") == "99999999999999999999");
    CHECK(price("-999999999999.99999999") == "-99999999999999999999");
    CHECK(price("1000000000000") == "out_of_range");
    CHECK(price("-1e12") == "out_of_range");
    CHECK(price("1000000000000.000000001") == "out_of_range");
    CHECK(rounded("999999999999.999999994") == "99999999999999999999");
    CHECK(rounded("999999999999.999999995") == "out_of_range");
    CHECK(price("999999999999.999999995") == "too_precise");
    const std::string volume = std::string(22, '9') + ".99999999";
    CHECK(outcome(volume, excess_digits::reject, volume_limit) == std::string(30, '9'));
    CHECK(outcome("1e22", excess_digits::reject, volume_limit) == "out_of_range");
    CHECK(outcome("1e21", excess_digits::reject, volume_limit) == "1" + std::string(29, '0'));
    CHECK(outcome("1e29", excess_digits::reject, volume_limit) == "out_of_range");
    CHECK(outcome("1e30", excess_digits::reject, volume_limit) == "out_of_range");
    CHECK(outcome("9", excess_digits::reject, 1) == "out_of_range");
    CHECK(outcome("0", excess_digits::reject, 1) == "0");
}

TEST_CASE("tokens of any size are handled", "[decimal]") {
    const std::string zeros(100'000, '0');
    CHECK(price("1" + zeros + "e-100000") == "100000000");
    CHECK(price("0." + zeros + "1e100001") == "100000000");
    CHECK(price("0." + zeros + "1") == "too_precise");
    CHECK(rounded("0." + zeros + "9") == "0");
    CHECK(price("1" + zeros) == "out_of_range");
    CHECK(price("1e99999999999999999999999999") == "out_of_range");
    CHECK(rounded("1e-99999999999999999999999999") == "0");
    CHECK(price("0e99999999999999999999999999") == "0");
    CHECK(price("1e00000000000000000000000000001") == "1000000000");
    CHECK(price(std::string(400, '9') + "e-395") == "too_precise");
    CHECK(rounded(std::string(400, '9') + "e-395") == "10000000000000");
}

TEST_CASE("what is outside the grammar is no decimal", "[decimal]") {
    for (const std::string token : {"",
                                    "-",
                                    "+1",
                                    "+",
                                    ".5",
                                    "-.5",
                                    "5.",
                                    "1.e5",
                                    "01",
                                    "-01",
                                    "00",
                                    "00.5",
                                    "1e",
                                    "1e+",
                                    "1E-",
                                    "1e5.0",
                                    "1.2.3",
                                    "1,5",
                                    "1 ",
                                    " 1",
                                    "0x10",
                                    "1_000",
                                    "--1",
                                    "1-",
                                    "e5",
                                    "1f",
                                    "1e5e5",
                                    "\xC2\xB2",
                                    "12345678901234567890x",
                                    "nanx",
                                    "infinit",
                                    "in",
                                    "infinityy",
                                    "na",
                                    "--inf"}) {
        INFO(token);
        CHECK(price(token) == "not_decimal");
    }
    CHECK(price(std::string_view("1\0", 2)) == "not_decimal");
}

TEST_CASE("every spelling of what is not finite is told apart", "[decimal]") {
    for (const std::string token : {"NaN", "nan", "NAN", "-NaN", "+nan", "Infinity", "-Infinity",
                                    "+infinity", "inf", "-inf", "INF", "+Inf"}) {
        INFO(token);
        CHECK(price(token) == "not_finite");
    }
}

TEST_CASE("decimals agree with Python's decimal module", "[decimal]") {
    const auto lines = tickd::test::vector_lines("decimal.txt");
    REQUIRE(lines.size() > 1'000);
    for (const std::string& line : lines) {
        std::istringstream words(line);
        std::string token, mode, column, expected;
        words >> token >> mode >> column >> expected;
        INFO(line);
        REQUIRE(outcome(token, mode == "round" ? excess_digits::round : excess_digits::reject,
                        column == "price" ? price_limit : volume_limit) == expected);
    }
}

TEST_CASE("random tokens agree with arithmetic on text", "[decimal]") {
    std::mt19937_64 random(20240808);
    const auto digits = [&random](std::size_t count, std::string_view from) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += from[random() % from.size()];
        return text;
    };
    for (int round = 0; round < 200'000; ++round) {
        const std::string_view from = random() % 2 == 0 ? "0123456789" : "0009945";
        std::string whole = digits(1 + random() % (random() % 8 == 0 ? 60 : 14), from);
        whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
        const std::string fraction = digits(random() % (random() % 8 == 0 ? 60 : 12), from);
        const int exponent = random() % 3 == 0 ? static_cast<int>(random() % 81) - 40 : 0;
        const bool negative = random() % 4 == 0;
        std::string token = (negative ? "-" : "") + whole;
        if (!fraction.empty()) token += "." + fraction;
        if (exponent != 0 || random() % 8 == 0) token += "e" + std::to_string(exponent);
        INFO(token);
        for (const auto excess : {excess_digits::reject, excess_digits::round}) {
            REQUIRE(outcome(token, excess, price_limit) ==
                    reference(whole, fraction, exponent, negative, excess, 20));
            REQUIRE(outcome(token, excess, volume_limit) ==
                    reference(whole, fraction, exponent, negative, excess, 30));
        }
    }
}

TEST_CASE("text has eight decimals always and leads back to the value", "[decimal]") {
    CHECK(ingest::to_text(0) == "0.00000000");
    CHECK(ingest::to_text(1) == "0.00000001");
    CHECK(ingest::to_text(-1) == "-0.00000001");
    CHECK(ingest::to_text(100'000'000) == "1.00000000");
    CHECK(ingest::to_text(-123'456'789'012) == "-1234.56789012");
    CHECK(ingest::to_text(price_limit - 1) == "999999999999.99999999");
    CHECK(ingest::to_text(volume_limit) == "1" + std::string(22, '0') + ".00000000");
    std::mt19937_64 random(3);
    for (int round = 0; round < 20'000; ++round) {
        int128 value = static_cast<int128>(random() >> 1U) * static_cast<int128>(random());
        if (random() % 2 == 0) value = -value;
        for (auto cuts = random() % 30; cuts > 0; --cuts) value /= 10;
        value %= volume_limit;
        const auto back =
            parse_decimal(ingest::to_text(value), excess_digits::reject, volume_limit);
        REQUIRE(back.error == decimal_error::none);
        REQUIRE(back.value == value);
    }
}

TEST_CASE("mid is exact and rounds half away from zero", "[decimal]") {
    CHECK(ingest::mid_of(0, 0) == 0);
    CHECK(ingest::mid_of(1, 2) == 2);
    CHECK(ingest::mid_of(-1, -2) == -2);
    CHECK(ingest::mid_of(0, 1) == 1);
    CHECK(ingest::mid_of(0, -1) == -1);
    CHECK(ingest::mid_of(-1, 1) == 0);
    CHECK(ingest::mid_of(-1, 2) == 1);
    CHECK(ingest::mid_of(1, -2) == -1);
    CHECK(ingest::mid_of(10, 20) == 15);
    CHECK(ingest::mid_of(volume_limit - 1, volume_limit - 2) == volume_limit - 1);
    static_assert(ingest::mid_of(3, 4) == 4);
}
