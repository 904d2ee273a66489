// docs/delivery.md names tests as its proof: each must be there.
#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(TICKD_SOURCE_DIR "/" + path);
    INFO(path);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Line ends and indents of a paragraph as single spaces.
std::string one_line(const std::string& text) {
    return std::regex_replace(text, std::regex("\\s+"), " ");
}

}  // namespace

TEST_CASE("every test that docs/delivery.md names exists", "[delivery_docs]") {
    const std::string text = one_line(text_of("docs/delivery.md"));
    const std::regex reference("`([a-z]+)\\.([a-z_]+)`: \\*([^*]+)\\*");
    std::size_t found = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), reference), end; at != end; ++at) {
        const std::string label = (*at)[1], subject = (*at)[2], name = (*at)[3];
        CAPTURE(label, subject, name);
        const std::string source =
            one_line(text_of("tests/" + label + '/' + subject + "_test.cpp"));
        CHECK(source.find('"' + name + '"') != std::string::npos);
        ++found;
    }
    CHECK(found > 25);
}

TEST_CASE("every row of docs/delivery.md names a test", "[delivery_docs]") {
    std::istringstream lines(text_of("docs/delivery.md"));
    const std::regex reference("`[a-z]+\\.[a-z_]+`: \\*[^*]+\\* \\|$");
    std::size_t rows = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| ") || line.ends_with("| proved by |")) continue;
        CAPTURE(line);
        CHECK((std::regex_search(line, reference) || line.ends_with("| no promise, no test |")));
        ++rows;
    }
    CHECK(rows > 25);
}
