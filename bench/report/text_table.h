// A table for people: aligned on a terminal, and the same as Markdown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class align : std::uint8_t { left, right };

struct table_column {
    std::string title;
    align to = align::right;
};

class text_table {
public:
    explicit text_table(std::vector<table_column> columns) : columns_(std::move(columns)) {}

    // Throws std::invalid_argument unless there is a cell for each column. Cells are UTF-8.
    void add(std::vector<std::string> cells);
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    // Lines, each with its line end; columns two spaces apart, titles underlined.
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::string to_markdown() const;

private:
    std::vector<table_column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// `1.83x`
[[nodiscard]] std::string ratio_text(double ratio);
// `12.3 ms`; three significant digits, in the unit that suits: ns, us, ms or s.
[[nodiscard]] std::string time_text(double seconds);
// `8 %`
[[nodiscard]] std::string percent_text(double part);

}  // namespace bench
