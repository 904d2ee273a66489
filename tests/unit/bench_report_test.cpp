#include <catch2/catch_test_macros.hpp>

#include <filesystem>

#include "bench/report/report.h"
#include "tests/unit/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

[[nodiscard]] bench::report small_report() {
    bench::report what;
    what.name = "ingest";
    what.title = "Ticks";
    what.results["rows"] = 7;
    return what;
}

TEST_CASE("a report is written as JSON and Markdown, beside an earlier one of its day", "[bench]") {
    const tests::temporary_folder folder;
    const fs::path results = folder.path() / "made" / "results";
    const auto first = bench::write_files(small_report(), results);
    const auto second = bench::write_files(small_report(), results);
    REQUIRE(first.size() == 2);
    REQUIRE(second.size() == 2);
    CHECK(first[0].extension() == ".json");
    CHECK(first[1].extension() == ".md");
    CHECK(first != second);
    for (const auto& path : {first[0], first[1], second[0], second[1]}) {
        CHECK(fs::file_size(path) > 0);
    }
}

TEST_CASE("a report without a folder is written nowhere", "[bench]") {
    CHECK(bench::write_files(small_report(), "").empty());
}

}  // namespace
