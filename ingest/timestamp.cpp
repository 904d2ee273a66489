#include "ingest/timestamp.h"

#include <chrono>
#include <cstddef>
#include <format>
#include <limits>

namespace ingest {
namespace {

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;

// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z: what four-digit years can name, in UTC too.
constexpr std::int64_t first_second = -62'135'596'800;
constexpr std::int64_t end_second = 253'402'300'800;

constexpr time_result invalid{0, time_error::invalid};

// Any non-digit makes a pair larger than every range checked below.
constexpr unsigned not_digits = 1'000;

unsigned digit_of(char c) noexcept { return static_cast<unsigned char>(c) - unsigned{'0'}; }

unsigned two_digits(const char* at) noexcept {
    const unsigned tens = digit_of(*at);
    const unsigned ones = digit_of(at[1]);
    return tens > 9 || ones > 9 ? not_digits : tens * 10 + ones;
}

// `.` and one to nine digits, cut to microseconds. Moves `at` past them; false: not a fraction.
bool read_fraction(const char*& at, const char* end, std::int64_t& us) noexcept {
    const char* const begin = ++at;
    unsigned value = 0;
    for (; at != end && digit_of(*at) <= 9 && at - begin < 9; ++at) {
        if (at - begin < 6) value = value * 10 + digit_of(*at);
    }
    if (at == begin) return false;
    for (auto digits = at - begin; digits < 6; ++digits) value *= 10;
    us = value;
    return true;
}

// `Z`, `z` or `+hh:mm`, which must end the text; in seconds.
bool read_zone(const char* at, const char* end, std::int64_t& offset) noexcept {
    if (end - at == 1) return *at == 'Z' || *at == 'z';
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return false;
    const unsigned hours = two_digits(at + 1);
    const unsigned minutes = two_digits(at + 4);
    if (hours > 23 || minutes > 59) return false;
    offset = std::int64_t{hours * 3'600 + minutes * 60};
    if (*at == '-') offset = -offset;
    return true;
}

bool nameable(std::int64_t second) noexcept {
    return second >= first_second && second < end_second;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) noexcept {
    return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

time_result parse_rfc3339(std::string_view text) noexcept {
    //  0         1
    //  0123456789012345678
    //  2024-08-08T23:54:14  and at least a zone
    if (text.size() < 20) return invalid;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const char separator = begin[10];
    if (begin[4] != '-' || begin[7] != '-' || begin[13] != ':' || begin[16] != ':' ||
        (separator != 'T' && separator != 't' && separator != ' ')) {
        return invalid;
    }

    const unsigned century = two_digits(begin);
    const unsigned year_of_century = two_digits(begin + 2);
    const unsigned month = two_digits(begin + 5);
    const unsigned day = two_digits(begin + 8);
    const unsigned hour = two_digits(begin + 11);
    const unsigned minute = two_digits(begin + 14);
    const unsigned second = two_digits(begin + 17);
    if (century > 99 || year_of_century > 99 || hour > 23 || minute > 59 || second > 60) {
        return invalid;
    }
    const unsigned year = century * 100 + year_of_century;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                           std::chrono::month{month}, std::chrono::day{day}};
    if (year == 0 || !date.ok()) return invalid;

    const char* at = begin + 19;
    std::int64_t us = 0;
    if (*at == '.' && !read_fraction(at, end, us)) return invalid;
    std::int64_t offset = 0;
    if (!read_zone(at, end, offset)) return invalid;

    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    const std::int64_t minute_start =
        days * seconds_per_day + std::int64_t{hour * 3'600 + minute * 60} - offset;
    if (!nameable(minute_start)) return invalid;
    if (second == 60) {
        const std::int64_t of_day =
            minute_start - floor_divide(minute_start, seconds_per_day) * seconds_per_day;
        return of_day == seconds_per_day - 60 ? time_result{0, time_error::leap_second} : invalid;
    }
    return {(minute_start + second) * us_per_second + us, time_error::none};
}

time_result parse_epoch(std::string_view token) noexcept {
    const bool negative = !token.empty() && token[0] == '-';
    if (negative) token.remove_prefix(1);
    if (token.empty() || token.size() > 19 || (token[0] == '0' && token.size() > 1)) {
        return invalid;
    }
    std::uint64_t magnitude = 0;  // nineteen digits fit
    for (const char c : token) {
        const unsigned digit = digit_of(c);
        if (digit > 9) return invalid;
        magnitude = magnitude * 10 + digit;
    }
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (magnitude > largest + (negative ? 1 : 0)) return invalid;
    const auto value = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);

    std::int64_t unix_us = 0;
    if (magnitude < 100'000'000'000) {
        unix_us = value * us_per_second;
    } else if (magnitude < 100'000'000'000'000) {
        unix_us = value * 1'000;
    } else if (magnitude < 100'000'000'000'000'000) {
        unix_us = value;
    } else {
        unix_us = floor_divide(value, 1'000);
    }
    if (!nameable(floor_divide(unix_us, us_per_second))) return invalid;
    return {unix_us, time_error::none};
}

std::string to_rfc3339(std::int64_t unix_us) {
    const std::int64_t seconds = floor_divide(unix_us, us_per_second);
    if (!nameable(seconds)) return std::to_string(unix_us);
    const std::int64_t days = floor_divide(seconds, seconds_per_day);
    const std::int64_t of_day = seconds - days * seconds_per_day;
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
    return std::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       of_day / 3'600, of_day / 60 % 60, of_day % 60,
                       unix_us - seconds * us_per_second);
}

}  // namespace ingest
