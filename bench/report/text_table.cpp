#include "bench/report/text_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace bench {

namespace {

// Characters, not bytes: every byte but those that continue one.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& cell, std::size_t width, align to) {
    const std::string space(width - std::min(width, width_of(cell)), ' ');
    return to == align::left ? cell + space : space + cell;
}

// A bar would end the cell.
std::string escaped(const std::string& cell) {
    std::string text;
    for (const char c : cell) text.append(c == '|' ? "\\|" : std::string(1, c));
    return text;
}

std::string trimmed_line(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + '\n';
}

}  // namespace

void text_table::add(std::vector<std::string> cells) {
    if (cells.size() != columns_.size()) throw std::invalid_argument("a cell for each column");
    rows_.push_back(std::move(cells));
}

std::string text_table::to_text() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = width_of(columns_[i].title);
        for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
        widths.push_back(width);
    }
    std::string titles, rules, text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        titles += padded(columns_[i].title, widths[i], columns_[i].to) + "  ";
        rules += std::string(widths[i], '-') + "  ";
    }
    text = trimmed_line(titles) + trimmed_line(rules);
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += padded(row[i], widths[i], columns_[i].to) + "  ";
        }
        text += trimmed_line(line);
    }
    return text;
}

std::string text_table::to_markdown() const {
    std::string text = "|", rules = "|";
    for (const table_column& column : columns_) {
        text += std::format(" {} |", escaped(column.title));
        rules += column.to == align::left ? "---|" : "---:|";
    }
    text += '\n' + rules + '\n';
    for (const auto& row : rows_) {
        text += '|';
        for (const std::string& cell : row) text += std::format(" {} |", escaped(cell));
        text += '\n';
    }
    return text;
}

std::string ratio_text(double ratio) { return std::format("{:.2f}x", ratio); }

std::string time_text(double seconds) {
    constexpr std::array<std::pair<double, std::string_view>, 3> units{
        {{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}}};
    std::pair<double, std::string_view> unit{1, "s"};
    for (const auto& smaller : units) {
        // Below what would be written as 1000 of it.
        if (std::abs(seconds) < smaller.first * 999.5) {
            unit = smaller;
            break;
        }
    }
    const double value = seconds / unit.first;
    const int decimals = std::abs(value) < 9.995 ? 2 : std::abs(value) < 99.95 ? 1 : 0;
    return std::format("{:.{}f} {}", value, decimals, unit.second);
}

std::string percent_text(double part) { return std::format("{:.0f} %", part * 100); }

}  // namespace bench
