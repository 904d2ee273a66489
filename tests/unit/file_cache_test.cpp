#include "bench/load/file_cache.h"

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/daemon_process.h"

TEST_CASE("no more of the files is kept in memory than there is") {
    const tickd::test::temporary_folder folder;
    const std::filesystem::path data = folder.file("data");
    std::filesystem::create_directories(data / "in");
    CHECK(bench::drop_cached_files(data) == 0);
    constexpr std::size_t size = 1024 * 1024;
    std::ofstream(data / "in" / "file") << std::string(size, 'x');
    std::ofstream(data / "empty") << "";
    // All of it where files are memory to begin with, as in a tmpfs; elsewhere none.
    const auto kept = bench::drop_cached_files(data);
    CHECK((kept == 0 || kept == size));
    CHECK_THROWS(bench::drop_cached_files(data / "not there"));
}
