#include "manual/markdown.h"

#include <format>
#include <sstream>
#include <stdexcept>

namespace manual {

namespace {

std::string trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

// `| a | b \| c |` has two cells.
table_row cells_of(std::string_view line) {
    table_row cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line.substr(i).starts_with("\\|")) {
            cell += line[++i];
        } else if (line[i] == '|') {
            cells.push_back(trimmed(cell));
            cell.clear();
        } else {
            cell += line[i];
        }
    }
    return cells;
}

}  // namespace

std::vector<table_row> rows_under(std::string_view page, std::string_view heading) {
    std::istringstream lines{std::string(page)};
    std::vector<table_row> rows;
    bool within = false;
    std::size_t table_lines = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("## ")) within = std::string_view(line).substr(3) == heading;
        if (!within) continue;
        if (line.starts_with('|')) {
            if (++table_lines > 2) rows.push_back(cells_of(line));  // behind the head and its rule
        } else if (table_lines > 0) {
            break;
        }
    }
    if (rows.empty()) throw std::runtime_error(std::format("no table under '## {}'", heading));
    return rows;
}

}  // namespace manual
