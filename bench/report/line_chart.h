// A line chart as an SVG file of its own, readable on a light and on a dark page.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct chart_point {
    double x = 0;                    // above 0: the axis is logarithmic
    double y = 0;                    // not below 0
    double y_least = 0, y_most = 0;  // drawn as a bar through the point
};

struct line_chart {
    std::string title;
    std::string x_label, y_label;
    std::vector<chart_point> points;  // ascending in x
};

// The vertical axis begins at 0. Throws std::invalid_argument without a point.
[[nodiscard]] std::string to_svg(const line_chart& chart);

// `100 M`, `1 M`, `350 k`, `12`: for axes.
[[nodiscard]] std::string short_count(double count);

}  // namespace bench
