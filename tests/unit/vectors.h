// The vector files beside the tests: their lines, or a failed test when a file is missing.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <vector>

namespace tickd::test {

inline std::vector<std::string> vector_lines(const std::string& name) {
    std::ifstream file(std::string(TICKD_SOURCE_DIR "/tests/unit/vectors/") + name);
    REQUIRE(file.is_open());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

}  // namespace tickd::test
