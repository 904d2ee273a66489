#include "tests/support/tsv.h"

#include <charconv>
#include <fstream>
#include <stdexcept>

namespace tickd::test {

namespace {

[[nodiscard]] tsv_row cells_of(std::string_view line) {
    tsv_row cells;
    for (;;) {
        const std::size_t end = line.find('\t');
        const std::string_view cell = line.substr(0, end);
        cells.push_back(cell == "\\N" ? tsv_cell() : tsv_cell(cell));
        if (end == std::string_view::npos) return cells;
        line.remove_prefix(end + 1);
    }
}

}  // namespace

std::vector<tsv_row> read_vectors(std::string_view name) {
    const std::string path = std::string(TICKD_SOURCE_DIR "/tests/vectors/").append(name);
    std::ifstream file(path);
    std::vector<tsv_row> rows;
    for (std::string line; std::getline(file, line);) rows.push_back(cells_of(line));
    if (rows.empty()) throw std::runtime_error("no vectors in " + path);
    return rows;
}

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        unsigned int byte = 0;
        const std::string_view digits = hex.substr(i, 2);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() != 2 || read.ptr != digits.data() + 2) {
            throw std::runtime_error("not hex");
        }
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

}  // namespace tickd::test
