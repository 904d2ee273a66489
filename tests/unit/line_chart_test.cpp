#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/report/line_chart.h"

namespace {

using namespace bench;

std::size_t times(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(words, at)) != std::string_view::npos; ++at) ++count;
    return count;
}

line_chart three_points() {
    return {.title = "rows < more & more",
            .x_label = "rows before",
            .y_label = "rows/s",
            .points = {{.x = 1e6, .y = 400'000, .y_least = 390'000, .y_most = 410'000},
                       {.x = 1e7, .y = 380'000, .y_least = 370'000, .y_most = 390'000},
                       {.x = 1e8, .y = 300'000, .y_least = 200'000, .y_most = 400'000}}};
}

TEST_CASE("a chart has a point and a bar for each value, and its labels", "[bench]") {
    const std::string svg = to_svg(three_points());
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 360\""));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(times(svg, "<circle") == 3);
    CHECK(times(svg, "class=\"bar\"") == 3);
    CHECK(svg.contains("rows &lt; more &amp; more"));
    for (const auto* label : {">1 M<", ">10 M<", ">100 M<", ">0<", ">500 k<", ">rows before<"}) {
        CAPTURE(label);
        CHECK(svg.contains(label));
    }
    CHECK(svg.contains("prefers-color-scheme: dark"));
    CHECK(svg.size() < 8'000);
}

TEST_CASE("decades are equally far apart, and more is higher", "[bench]") {
    const std::string svg = to_svg(three_points());
    const std::size_t begin = svg.find("points=\"") + 8;
    std::string points = svg.substr(begin, svg.find('"', begin) - begin);
    std::ranges::replace(points, ',', ' ');
    std::istringstream numbers(points);
    double x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0;
    numbers >> x1 >> y1 >> x2 >> y2 >> x3 >> y3;
    REQUIRE(numbers);
    CHECK(std::abs((x2 - x1) - (x3 - x2)) < 0.2);
    CHECK(y1 < y2);  // SVG counts downwards
    CHECK(y2 < y3);
}

TEST_CASE("one point and no height still make a chart; no point does not", "[bench]") {
    line_chart chart = three_points();
    chart.points = {{.x = 5, .y = 0, .y_least = 0, .y_most = 0}};
    const std::string svg = to_svg(chart);
    CHECK(times(svg, "<circle") == 1);
    CHECK_FALSE(svg.contains("nan"));
    CHECK_FALSE(svg.contains("inf"));
    chart.points.clear();
    CHECK_THROWS_AS(to_svg(chart), std::invalid_argument);
}

TEST_CASE("counts on an axis are short", "[bench]") {
    CHECK(short_count(0) == "0");
    CHECK(short_count(12) == "12");
    CHECK(short_count(350'000) == "350 k");
    CHECK(short_count(1'000'000) == "1 M");
    CHECK(short_count(2'500'000) == "2.5 M");
    CHECK(short_count(100'000'000) == "100 M");
    CHECK(short_count(1e10) == "10 G");
}

}  // namespace
