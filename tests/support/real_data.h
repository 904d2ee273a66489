// Recorded data for tests: what lies in ../shared beside the checkout, else the sample in data/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tickd::test {

// The file's path in ../shared/data; empty when it is not there.
[[nodiscard]] std::filesystem::path shared_data(std::string_view name);

// Files that hold ticks, or activity events: all of the real ones, or the sample's.
struct real_files {
    bool whole = false;  // the real ones, of which the line counts are known
    std::vector<std::filesystem::path> ticks, events;
};
[[nodiscard]] real_files find_real_files();

// A gzipped file's content. Throws std::runtime_error.
[[nodiscard]] std::string gunzip(const std::filesystem::path& path);

// Its lines, without their newlines; views into `text`.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

struct suite_document {
    std::string name;  // y_..., n_... or i_...
    std::string content;
};
// The parsing tests of JSONTestSuite; empty when there is no copy.
[[nodiscard]] std::vector<suite_document> json_test_suite();

}  // namespace tickd::test
