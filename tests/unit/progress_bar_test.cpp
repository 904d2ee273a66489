#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/progress_bar.h"
#include "daemon/utf8.h"

namespace {

using namespace std::chrono_literals;
using namespace tickd;

TEST_CASE("counts have groups of three digits", "[progress]") {
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(1000) == "1,000");
    CHECK(format_count(335931) == "335,931");
    CHECK(format_count(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
}

TEST_CASE("rates keep their digits where they matter", "[progress]") {
    CHECK(format_rate(0, "lines") == "0.00 lines/s");
    CHECK(format_rate(0.45, "lines") == "0.45 lines/s");
    CHECK(format_rate(9.5, "rows") == "9.5 rows/s");
    CHECK(format_rate(112344.6, "lines") == "112,345 lines/s");
    CHECK(format_rate(12345678, "lines") == "12.35 M lines/s");
    CHECK(format_rate(std::nan(""), "lines") == "0.00 lines/s");
    CHECK(format_rate(-1, "lines") == "0.00 lines/s");
}

TEST_CASE("the time left is rounded up and may be unknown", "[progress]") {
    CHECK(format_eta(0.0) == "0:00");
    CHECK(format_eta(6.2) == "0:07");
    CHECK(format_eta(60) == "1:00");
    CHECK(format_eta(3723) == "1:02:03");
    CHECK(format_eta(100.0 * 3600 + 1) == "4 d 4 h");
    CHECK(format_eta(std::nullopt) == "-:--");
    CHECK(format_eta(-1) == "-:--");
    CHECK(format_eta(std::numeric_limits<double>::infinity()) == "-:--");
    CHECK(format_eta(std::nan("")) == "-:--");
}

TEST_CASE("time taken", "[progress]") {
    CHECK(format_elapsed(0.454) == "0.45 s");
    CHECK(format_elapsed(9.999) == "10.0 s");
    CHECK(format_elapsed(12.34) == "12.3 s");
    CHECK(format_elapsed(59.99) == "1:00");
    CHECK(format_elapsed(3723) == "1:02:03");
    CHECK(format_elapsed(-1) == "0.00 s");
}

TEST_CASE("bytes in binary units", "[progress]") {
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1024) == "1.0 KiB");
    CHECK(format_bytes(1024 * 1024 - 1) == "1.0 MiB");
    CHECK(format_bytes(68'262'400) == "65.1 MiB");
    CHECK(format_bytes(std::uint64_t{5} << 40) == "5.0 TiB");
    CHECK(format_bytes(std::uint64_t{5000} << 40) == "5000.0 TiB");
}

TEST_CASE("a line fits any width", "[progress]") {
    for (const bool utf8 : {false, true}) {
        for (const std::optional<double> fraction :
             {std::optional<double>{}, std::optional{0.0}, std::optional{0.437}, std::optional{1.0},
              std::optional{1.7}}) {
            const progress_view view{"bl\u00FCten-2024.ndjson.gz", fraction, "112,345 lines/s",
                                     "0:07"};
            for (std::size_t columns = 0; columns < 200; ++columns) {
                const std::string line = render(view, columns, utf8);
                INFO(columns << ": " << line);
                const auto characters = utf8_characters(line);
                REQUIRE(characters.has_value());
                REQUIRE(*characters <= columns);
            }
        }
    }
}

TEST_CASE("what a line looks like", "[progress]") {
    const progress_view view{"a.gz", 0.5, "10 lines/s", "0:07"};
    CHECK(render(view, 43, false) == "a.gz  [####    ]  50%  10 lines/s  ETA 0:07");
    CHECK(render(view, 42, false) == "a.gz   50%  10 lines/s  ETA 0:07");
    const progress_view third{"", 0.3, "10 lines/s", "0:07"};
    CHECK(render(third, 37, true) ==
          "\u2595\u2588\u2588\u258D     \u258F  30%  10 lines/s  ETA 0:07");
    const progress_view unknown{"stdin", std::nullopt, "10 lines/s", "-:--"};
    CHECK(render(unknown, 80, true) == "stdin  10 lines/s");
}

TEST_CASE("rate and time left follow the last seconds", "[progress]") {
    pace measured;
    const std::chrono::steady_clock::time_point start{1h};
    CHECK(measured.records_per_second() == 0);
    CHECK_FALSE(measured.seconds_left().has_value());
    // 10 s at 1,000 records a second, then 10 s at 100: the first pace is forgotten.
    std::uint64_t records = 0;
    for (int i = 0; i < 200; ++i) {
        measured.add(start + i * 100ms, {records, records, 20'000});
        records += i < 100 ? 100 : 10;
    }
    CHECK(std::abs(measured.records_per_second() - 100) < 1);
    const auto left = measured.seconds_left();
    REQUIRE(left.has_value());
    CHECK(std::abs(*left - static_cast<double>(20'000 - (records - 10)) / 100) < 1);
}

TEST_CASE("a pace that stands still knows no end", "[progress]") {
    pace measured;
    const std::chrono::steady_clock::time_point start{1h};
    measured.add(start, {5, 5, 10});
    measured.add(start + 1s, {5, 5, 10});
    CHECK(measured.records_per_second() == 0);
    CHECK_FALSE(measured.seconds_left().has_value());
    measured.add(start + 2s, {5, 5, std::nullopt});
    CHECK_FALSE(measured.seconds_left().has_value());
}

TEST_CASE("off a terminal only the final line is written", "[progress]") {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    {
        progress_bar bar{ends[1], true, "lines"};
        bar.set_label("x");
        for (std::uint64_t i = 0; i < 10; ++i) {
            bar.update({i, i, 10}, std::chrono::steady_clock::time_point{1h} + i * 1s);
        }
        bar.finish("sent 10 lines");
    }
    close(ends[1]);
    std::array<char, 256> text{};
    const ssize_t size = read(ends[0], text.data(), text.size());
    close(ends[0]);
    REQUIRE(size > 0);
    CHECK(std::string(text.data(), static_cast<std::size_t>(size)) == "sent 10 lines\n");
}

TEST_CASE("on a terminal it redraws at most ten times a second", "[progress]") {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    REQUIRE(grantpt(terminal) == 0);
    REQUIRE(unlockpt(terminal) == 0);
    const int drawn_on = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    REQUIRE(drawn_on >= 0);
    // What arrived up to and including `end`.
    const auto written = [&](std::string_view end) {
        std::string all;
        std::array<char, 4096> text{};
        while (!all.ends_with(end)) {
            const ssize_t size = read(terminal, text.data(), text.size());
            if (size <= 0) break;
            all.append(text.data(), static_cast<std::size_t>(size));
        }
        return all;
    };
    progress_bar bar{drawn_on, true, "lines"};
    bar.set_label("evil\x1b[2J");
    const std::chrono::steady_clock::time_point start{1h};
    bar.update({1, 1, 10}, start);
    bar.update({2, 2, 10}, start + 99ms);  // not drawn
    const std::string first = written("\x1b[K");
    CHECK(first.starts_with("\revil?[2J"));
    CHECK(first.contains(" 10%"));
    CHECK_FALSE(first.contains(" 20%"));
    bar.update({3, 3, 10}, start + 100ms);
    CHECK(written("\x1b[K").contains(" 30%"));
    bar.finish("done");
    CHECK(written("\n") == "\r\x1b[Kdone\r\n");
    close(drawn_on);
    close(terminal);
}

TEST_CASE("the locale decides about block characters", "[progress]") {
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("LANG");
    CHECK_FALSE(locale_is_utf8());
    setenv("LANG", "de_DE.UTF-8", 1);
    CHECK(locale_is_utf8());
    setenv("LC_CTYPE", "C", 1);
    CHECK_FALSE(locale_is_utf8());
    setenv("LC_ALL", "C.utf8", 1);
    CHECK(locale_is_utf8());
    setenv("LC_ALL", "", 1);
    CHECK_FALSE(locale_is_utf8());
}

}  // namespace
