#include "tests/unit/spool_support.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "tests/unit/spool_blocks.h"

namespace tests {

std::unique_ptr<tickd::file_spool> open_spool(tickd::file_spool_settings settings) {
    auto opened = tickd::file_spool::open(std::move(settings));
    if (!opened) FAIL(opened.error());
    return *std::move(opened);
}

std::unique_ptr<tickd::file_spool> open_spool(const std::filesystem::path& folder) {
    return open_spool({.folder = folder, .warn = {}});
}

void append(tickd::file_spool& to, std::int64_t first, std::int64_t last) {
    for (std::int64_t number = first; number <= last; ++number) {
        REQUIRE(to.append(*numbered_block(number), std::nullopt));
    }
    REQUIRE(to.sync());
}

std::vector<std::int64_t> read_all(tickd::file_spool& from) {
    std::vector<std::int64_t> numbers;
    ingest::block into;
    while (const auto entry = from.read(into)) numbers.push_back(entry->number);
    return numbers;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                            const std::string& extension) {
    std::vector<std::filesystem::path> files;
    for (const auto& each : std::filesystem::directory_iterator(folder)) {
        if (each.path().extension() == extension) files.push_back(each.path());
    }
    std::ranges::sort(files);
    return files;
}

std::uint64_t bytes_in(const std::filesystem::path& folder) {
    std::uint64_t bytes = 0;
    for (const auto& each : files_in(folder, ".spool")) bytes += std::filesystem::file_size(each);
    return bytes;
}

void in_killed_process(const std::function<void()>& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int code = 1;
        try {
            work();
            code = 0;
        } catch (...) {
            code = 2;
        }
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
}

void require(bool condition) {
    if (!condition) throw std::runtime_error("a requirement of the child");
}

}  // namespace tests
