#include "bench/report/line_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace bench {

namespace {

constexpr double width = 720, height = 360;
constexpr double left = 76, right = 700, top = 48, bottom = 300;

constexpr std::string_view style = R"(  <style>
    svg { background: #ffffff; font: 13px sans-serif; }
    text { fill: #1f2328; }
    .title { font-size: 16px; font-weight: bold; }
    .grid { stroke: #d0d7de; }
    .line { stroke: #0969da; stroke-width: 2; fill: none; }
    .bar { stroke: #0969da; }
    .point { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      svg { background: #0d1117; }
      text { fill: #e6edf3; }
      .grid { stroke: #30363d; }
      .line, .bar { stroke: #58a6ff; }
      .point { fill: #58a6ff; }
    }
  </style>
)";

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '&': safe += "&amp;"; break;
            default: safe += c;
        }
    }
    return safe;
}

// 1, 2 or 5 times a power of ten, so that about five of it reach `most`.
double step_for(double most) {
    const double power = std::pow(10, std::floor(std::log10(most / 5)));
    for (const double times : {1.0, 2.0, 5.0}) {
        if (most / (times * power) <= 6) return times * power;
    }
    return 10 * power;
}

class plot {
public:
    explicit plot(const line_chart& chart) : chart_(chart) {
        double most = 0;
        for (const chart_point& each : chart.points) most = std::max({most, each.y, each.y_most});
        step_ = step_for(most > 0 ? most : 1);
        y_most_ = step_ * std::max(1.0, std::ceil(most / step_));
        // A single point stands in the middle of a decade.
        x_least_ = std::log10(chart.points.front().x);
        x_most_ = std::log10(chart.points.back().x);
        if (x_most_ - x_least_ < 0.1) {
            x_least_ -= 0.5;
            x_most_ += 0.5;
        }
    }

    [[nodiscard]] std::string svg() const {
        std::string out = std::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n"
            "  <title>{}</title>\n{}",
            width, height, escaped(chart_.title), style);
        out += text_at(left, 26, chart_.title, "start", "title");
        out += text_at((left + right) / 2, bottom + 46, chart_.x_label, "middle");
        out += text_at(left, top - 8, chart_.y_label, "start");
        return out + grid() + curve() + "</svg>\n";
    }

private:
    [[nodiscard]] double across(double x) const {
        return left + (std::log10(x) - x_least_) / (x_most_ - x_least_) * (right - left);
    }
    [[nodiscard]] double up(double y) const { return bottom - y / y_most_ * (bottom - top); }

    [[nodiscard]] static std::string text_at(double x, double y, std::string_view text,
                                             std::string_view anchor,
                                             std::string_view style_class = "label") {
        return std::format(
            "  <text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
            style_class, x, y, anchor, escaped(text));
    }

    [[nodiscard]] static std::string line_from(double x1, double y1, double x2, double y2,
                                               std::string_view style_class) {
        return std::format(
            "  <line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
            style_class, x1, y1, x2, y2);
    }

    [[nodiscard]] std::string grid() const {
        std::string out;
        const auto lines = static_cast<int>(y_most_ * 1.001 / step_);
        for (int line = 0; line <= lines; ++line) {
            const double y = line * step_;
            out += line_from(left, up(y), right, up(y), "grid");
            out += text_at(left - 8, up(y) + 4, short_count(y), "end");
        }
        for (const chart_point& each : chart_.points) {
            out += text_at(across(each.x), bottom + 20, short_count(each.x), "middle");
        }
        return out;
    }

    [[nodiscard]] std::string curve() const {
        std::string out = "  <polyline class=\"line\" points=\"";
        for (const chart_point& each : chart_.points) {
            out += std::format("{}{:.1f},{:.1f}", &each == &chart_.points.front() ? "" : " ",
                               across(each.x), up(each.y));
        }
        out += "\"/>\n";
        for (const chart_point& each : chart_.points) {
            out +=
                line_from(across(each.x), up(each.y_least), across(each.x), up(each.y_most), "bar");
            out += std::format("  <circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n",
                               across(each.x), up(each.y));
        }
        return out;
    }

    const line_chart& chart_;
    double step_ = 1, y_most_ = 1, x_least_ = 0, x_most_ = 1;
};

}  // namespace

std::string to_svg(const line_chart& chart) {
    if (chart.points.empty()) throw std::invalid_argument("a chart needs a point");
    return plot(chart).svg();
}

std::string short_count(double count) {
    constexpr std::array<std::pair<double, std::string_view>, 3> units{
        {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}}};
    for (const auto& [size, unit] : units) {
        if (count >= size) return std::format("{:.4g}{}", count / size, unit);
    }
    return std::format("{:.4g}", count);
}

}  // namespace bench
