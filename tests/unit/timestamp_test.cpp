#include "ingest/timestamp.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "tests/unit/vectors.h"

using ingest::parse_epoch;
using ingest::parse_rfc3339;
using ingest::time_error;
using ingest::to_rfc3339;

namespace {

constexpr std::int64_t second_us = 1'000'000;

std::int64_t us(std::string_view text) {
    const auto [unix_us, error] = parse_rfc3339(text);
    INFO(text);
    REQUIRE(error == time_error::none);
    return unix_us;
}

time_error error_of(std::string_view text) { return parse_rfc3339(text).error; }

std::int64_t epoch(std::string_view token) {
    const auto [unix_us, error] = parse_epoch(token);
    INFO(token);
    REQUIRE(error == time_error::none);
    return unix_us;
}

}  // namespace

TEST_CASE("known instants", "[timestamp]") {
    CHECK(us("1970-01-01T00:00:00Z") == 0);
    CHECK(us("1969-12-31T23:59:59.999999Z") == -1);
    CHECK(us("2000-01-01T00:00:00Z") == ingest::pg_epoch_us);
    CHECK(us("2024-08-08T23:54:14.024619Z") == 1'723'161'254'024'619);
    CHECK(us("2024-08-08t23:54:14.024619z") == 1'723'161'254'024'619);
    CHECK(us("2024-08-08 23:54:14.024619Z") == 1'723'161'254'024'619);
    CHECK(us("0001-01-01T00:00:00Z") == -62'135'596'800 * second_us);
    CHECK(us("9999-12-31T23:59:59.999999Z") == 253'402'300'799 * second_us + 999'999);
}

TEST_CASE("fractions have one to nine digits and are cut", "[timestamp]") {
    const std::string digits = "987654321";
    for (std::size_t count = 1; count <= 9; ++count) {
        const std::string fraction = digits.substr(0, count);
        const std::int64_t expected = std::stoll((fraction + "000000").substr(0, 6));
        CHECK(us("1970-01-01T00:00:00." + fraction + "Z") == expected);
        CHECK(us("1969-12-31T23:59:59." + fraction + "+00:00") == expected - second_us);
    }
    CHECK(us("1970-01-01T00:00:00.999999999Z") == 999'999);
    CHECK(error_of("1970-01-01T00:00:00.Z") == time_error::invalid);
    CHECK(error_of("1970-01-01T00:00:00.1234567890Z") == time_error::invalid);
    CHECK(error_of("1970-01-01T00:00:00,5Z") == time_error::invalid);
}

TEST_CASE("offsets are applied", "[timestamp]") {
    CHECK(us("1970-01-01T01:00:00+01:00") == 0);
    CHECK(us("1969-12-31T19:00:00-05:00") == 0);
    CHECK(us("1970-01-01T00:00:00-00:00") == 0);
    CHECK(us("1970-01-01T23:59:00+23:59") == 0);
    CHECK(us("1969-12-31T00:01:00-23:59") == 0);
    CHECK(us("1970-01-01T05:45:00.5+05:45") == 500'000);
    for (const std::string zone : {"", "+24:00", "+00:60", "+0000", "+00", "UTC", "+1:00", "Z ",
                                   "ZZ", "+00:00Z", "+aa:00", "+00:0", "+00-00", " Z",
                                   "\xE2\x88\x92"
                                   "01:00"}) {
        INFO(zone);
        CHECK(error_of("1970-01-01T00:00:00" + zone) == time_error::invalid);
    }
}

TEST_CASE("only real days", "[timestamp]") {
    CHECK(us("2024-02-29T00:00:00Z") - us("2024-02-28T00:00:00Z") == 86'400 * second_us);
    CHECK(us("2000-02-29T00:00:00Z") == 951'782'400 * second_us);
    for (const std::string day :
         {"2023-02-29", "1900-02-29", "2100-02-29", "2024-02-30", "2024-04-31", "2024-13-01",
          "2024-00-10", "2024-01-00", "2024-01-32", "0000-01-01", "-001-01-01", "2024-1-011"}) {
        INFO(day);
        CHECK(error_of(day + "T00:00:00Z") == time_error::invalid);
    }
}

TEST_CASE("only real times of day", "[timestamp]") {
    for (const std::string time :
         {"24:00:00", "23:60:00", "23:59:61", "12:00:60", "99:99:99", "1:00:000"}) {
        INFO(time);
        CHECK(error_of("2024-08-08T" + time + "Z") == time_error::invalid);
    }
    CHECK(us("2024-08-08T23:59:59Z") + second_us == us("2024-08-09T00:00:00Z"));
}

TEST_CASE("leap seconds are named as such, where one can be", "[timestamp]") {
    CHECK(error_of("2016-12-31T23:59:60Z") == time_error::leap_second);
    CHECK(error_of("2016-12-31T23:59:60.5Z") == time_error::leap_second);
    CHECK(error_of("2016-12-31T15:59:60-08:00") == time_error::leap_second);
    CHECK(error_of("2017-01-01T05:29:60+05:30") == time_error::leap_second);
    CHECK(error_of("1960-06-30T23:59:60Z") == time_error::leap_second);
    CHECK(error_of("2016-12-31T23:59:60-08:00") == time_error::invalid);
    CHECK(error_of("2016-12-31T22:59:60Z") == time_error::invalid);
    CHECK(error_of("2016-12-31T23:58:60Z") == time_error::invalid);
    CHECK(error_of("2016-12-32T23:59:60Z") == time_error::invalid);
}

TEST_CASE("years end at 0001 and 9999 in UTC too", "[timestamp]") {
    CHECK(us("0001-01-01T01:00:00+01:00") == us("0001-01-01T00:00:00Z"));
    CHECK(error_of("0001-01-01T00:59:59+01:00") == time_error::invalid);
    CHECK(us("9999-12-31T22:59:59-01:00") == us("9999-12-31T23:59:59Z"));
    CHECK(error_of("9999-12-31T23:00:00-01:00") == time_error::invalid);
    CHECK(error_of("10000-01-01T00:00:00Z") == time_error::invalid);
}

TEST_CASE("any byte out of place is invalid", "[timestamp]") {
    const std::string sample = "2024-08-08T13:04:15.250000+01:00";
    REQUIRE(error_of(sample) == time_error::none);
    for (std::size_t size = 0; size < sample.size(); ++size) {
        INFO(size);
        CHECK(error_of(sample.substr(0, size)) == time_error::invalid);
    }
    for (std::size_t place = 0; place < sample.size(); ++place) {
        for (const char c : {'x', '/', ':', '\0', '\x80', '-', '.'}) {
            if (sample[place] == c || (sample[place] == '+' && c == '-')) continue;
            std::string text = sample;
            text[place] = c;
            INFO(text);
            CHECK(error_of(text) == time_error::invalid);
        }
    }
}

TEST_CASE("times agree with Python's datetime", "[timestamp]") {
    const auto lines = tickd::test::vector_lines("timestamp.txt");
    REQUIRE(lines.size() >= 600);
    for (const std::string& line : lines) {
        const std::size_t tab = line.find('\t');
        INFO(line);
        REQUIRE(us(line.substr(0, tab)) == std::stoll(line.substr(tab + 1)));
    }
}

TEST_CASE("text leads back to the instant, on every day of the calendar", "[timestamp]") {
    std::mt19937_64 random(1);
    const std::int64_t first = us("0001-01-01T00:00:00Z");
    const std::int64_t end = us("9999-12-31T23:59:59.999999Z") + 1;
    for (std::int64_t day = first; day < end; day += 86'400 * second_us) {
        const auto of_day = static_cast<std::int64_t>(random() % 86'400'000'000);
        const std::string text = to_rfc3339(day + of_day);
        if (text.size() != 27 || parse_rfc3339(text).unix_us != day + of_day) FAIL(text);
    }
    CHECK(to_rfc3339(-1) == "1969-12-31T23:59:59.999999Z");
    CHECK(to_rfc3339(1'723'161'254'024'619) == "2024-08-08T23:54:14.024619Z");
    CHECK(to_rfc3339(end) == std::to_string(end));
    CHECK(to_rfc3339(first) == "0001-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("an epoch's unit follows from its size", "[timestamp]") {
    constexpr std::int64_t instant_us = 1'723'161'254'000'000;
    CHECK(epoch("1723161254") == instant_us);
    CHECK(epoch("1723161254024") == instant_us + 24'000);
    CHECK(epoch("1723161254024619") == instant_us + 24'619);
    CHECK(epoch("1723161254024619999") == instant_us + 24'619);
    CHECK(epoch("0") == 0);
    CHECK(epoch("-0") == 0);
    CHECK(epoch("-1") == -second_us);
    CHECK(epoch("99999999999") == 99'999'999'999 * second_us);
    CHECK(epoch("100000000000") == 100'000'000'000'000);
    CHECK(epoch("99999999999999") == 99'999'999'999'999'000);
    CHECK(epoch("100000000000000") == 100'000'000'000'000);
    CHECK(epoch("99999999999999999") == 99'999'999'999'999'999);
    CHECK(epoch("100000000000000000") == 100'000'000'000'000);
    CHECK(epoch("-1000000000000") == -1'000'000'000'000'000);
    CHECK(epoch("9223372036854775807") == 9'223'372'036'854'775);
    CHECK(epoch("-9223372036854775808") == -9'223'372'036'854'776);
    CHECK(epoch("-100000000000000001") == -100'000'000'000'001);
}

TEST_CASE("what is no epoch is invalid", "[timestamp]") {
    for (const std::string token :
         {"", "-", "+1", "01", "-01", "00", "1.0", "1e9", " 1", "1 ", "0x1", "1_0",
          "9223372036854775808", "-9223372036854775809", "99999999999999999999", "-62135596801",
          "-99999999999", "--1", "\"1\""}) {
        INFO(token);
        CHECK(parse_epoch(token).error == time_error::invalid);
    }
    CHECK(epoch("-62135596800") == us("0001-01-01T00:00:00Z"));
}
