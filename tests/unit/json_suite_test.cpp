// JSONTestSuite, where a copy lies beside the checkout: y_ must parse, n_ must not, i_ may do
// either but not crash.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "ingest/json_normal_form.h"
#include "ingest/limits.h"

using ingest::verdict;
namespace fs = std::filesystem;

namespace {

// JSON that RFC 8259 allows and that is refused all the same, by design.
const std::map<std::string, verdict> refused_by_design = {
    {"y_object_duplicated_key.json", verdict::duplicate_key},
    {"y_object_duplicated_key_and_value.json", verdict::duplicate_key},
    {"y_object_escaped_null_in_key.json", verdict::nul_character},
    {"y_string_null_escape.json", verdict::nul_character},
};

class unpacked_suite {
public:
    explicit unpacked_suite(const fs::path& archive) {
        std::string name = (fs::temp_directory_path() / "json-suite-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        const std::string command = "tar -xzf '" + archive.string() + "' -C '" + name + "'";
        std::FILE* const tar = ::popen(command.c_str(), "r");
        REQUIRE(tar != nullptr);
        REQUIRE(::pclose(tar) == 0);
    }
    unpacked_suite(const unpacked_suite&) = delete;
    unpacked_suite& operator=(const unpacked_suite&) = delete;
    ~unpacked_suite() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    [[nodiscard]] fs::path parsing() const { return folder_ / "JSONTestSuite" / "test_parsing"; }

private:
    fs::path folder_;
};

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("JSONTestSuite", "[json_suite]") {
    const fs::path archive = fs::path(TICKD_SOURCE_DIR) / "../shared/data/JSONTestSuite.tar.gz";
    if (!fs::exists(archive)) SKIP("no JSONTestSuite beside the checkout");
    const unpacked_suite suite(archive);
    ingest::json_normalizer normalizer;
    ingest::byte_buffer out;
    std::map<char, int> counts;
    for (const auto& entry : fs::directory_iterator(suite.parsing())) {
        const std::string name = entry.path().filename().string();
        INFO(name);
        out.clear();
        const verdict reason =
            normalizer.normalize(content_of(entry.path()), ingest::limits::json_depth_max, out);
        ++counts[name[0]];
        if (name[0] == 'y') {
            const auto known = refused_by_design.find(name);
            const verdict expected =
                known == refused_by_design.end() ? verdict::accepted : known->second;
            CHECK(to_string(reason) == to_string(expected));
        } else if (name[0] == 'n') {
            CHECK(reason != verdict::accepted);
        }
    }
    CHECK(counts['y'] >= 90);
    CHECK(counts['n'] >= 180);
    CHECK(counts['i'] >= 30);
}
