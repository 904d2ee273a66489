// The spool and the limits it lives within: its own, the disk's and the memory's.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/spool/file_spool.h"
#include "tests/unit/spool_blocks.h"
#include "tests/unit/spool_support.h"
#include "tests/unit/temporary_folder.h"

namespace fs = std::filesystem;
using ingest::block;
using tests::append;
using tests::bytes_in;
using tests::describe;
using tests::in_killed_process;
using tests::numbered_block;
using tests::open_spool;
using tests::read_all;
using tests::require;
using tickd::file_spool;
using tickd::file_spool_settings;

TEST_CASE("the byte limit holds", "[file_spool]") {
    const tests::temporary_folder folder;
    std::vector<std::string> warnings;
    auto spool = open_spool({.folder = folder.path(),
                             .bytes_max = 20'000,
                             .file_bytes = 5'000,
                             .warn = [&](const std::string& text) { warnings.push_back(text); }});
    std::int64_t taken = 0;
    while (spool->append(*numbered_block(taken + 1), std::nullopt)) REQUIRE(++taken < 100);
    CHECK(taken > 5);
    CHECK(spool->bytes() <= 20'000);
    CHECK(spool->bytes() == bytes_in(folder.path()));
    CHECK_FALSE(spool->append(*numbered_block(taken + 1), std::nullopt));
    CHECK(warnings.size() == 1);
    CHECK(spool->sync());

    spool->committed(taken / 2);
    append(*spool, taken + 1, taken + 1);
    const auto numbers = read_all(*spool);
    CHECK(numbers.front() == taken / 2 + 1);
    CHECK(numbers.back() == taken + 1);
}

TEST_CASE("a file that may not grow further takes no block by half", "[file_spool]") {
    const tests::temporary_folder folder;
    in_killed_process([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        auto spool = file_spool::open({.folder = folder.path(), .warn = {}});
        require(spool.has_value());
        require((*spool)->append(*numbered_block(1), std::nullopt).has_value());
        const rlim_t one_and_a_half = bytes_in(folder.path()) * 3 / 2;
        rlimit limit{one_and_a_half, RLIM_INFINITY};
        require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
        const std::uint64_t before = (*spool)->bytes();
        require(!(*spool)->append(*numbered_block(2), std::nullopt).has_value());
        require((*spool)->bytes() == before && bytes_in(folder.path()) == before);
        require((*spool)->sync());
        block into;
        require((*spool)->read(into)->number == 1 && !(*spool)->read(into));

        limit.rlim_cur = RLIM_INFINITY;
        require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
        require((*spool)->append(*numbered_block(2), std::nullopt).has_value());
        require((*spool)->read(into)->number == 2);
        require(describe(into) == describe(*numbered_block(2)));
    });
    auto spool = open_spool(folder.path());
    CHECK(spool->recovery().messages.empty());
    CHECK(read_all(*spool) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("a full disk takes no block by half, and more when there is room", "[file_spool]") {
    const tests::temporary_folder folder;
    const fs::path disk = folder.path() / "disk";
    fs::create_directory(disk);
    if (::mount("tickd-test", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
        SKIP("a small disk can be made by root only");
    }
    const auto unmount = [](const fs::path* at) { ::umount2(at->c_str(), MNT_DETACH); };
    const std::unique_ptr<const fs::path, decltype(unmount)> mounted{&disk, unmount};
    {
        auto spool = open_spool({.folder = disk / "lane-0", .file_bytes = 30'000, .warn = {}});
        std::int64_t taken = 0;
        while (spool->append(*numbered_block(taken + 1), std::nullopt)) REQUIRE(++taken < 1000);
        REQUIRE(taken > 20);
        CHECK(spool->bytes() == bytes_in(disk / "lane-0"));
        CHECK(spool->sync());
        for (int i = 0; i < 5; ++i) {
            CHECK_FALSE(spool->append(*numbered_block(taken + 1), std::nullopt));
        }
        CHECK(read_all(*spool).size() == static_cast<std::size_t>(taken));
        // A start on a full disk works, too.
        spool.reset();
        spool = open_spool({.folder = disk / "lane-0", .file_bytes = 30'000, .warn = {}});
        CHECK(spool->recovery().blocks == static_cast<std::uint64_t>(taken));
        CHECK(spool->recovery().messages.empty());

        spool->committed(taken / 2);
        const std::int64_t next = spool->next_number();
        CHECK(next > taken);
        append(*spool, next, next);
        const auto numbers = read_all(*spool);
        CHECK(numbers.front() == taken / 2 + 1);
        CHECK(numbers.back() == next);
    }
}

TEST_CASE("memory does not grow with what is on disk", "[file_spool]") {
    // TICKD_TEST_LONG=1: as much as a long outage leaves. Otherwise enough to notice.
    const char* const wanted = std::getenv("TICKD_TEST_LONG");
    const bool thorough = wanted != nullptr && std::string_view(wanted) == "1";
    const std::uint64_t bytes = (thorough ? 200ULL : 40ULL) * 1024 * 1024;
    const std::uint64_t growth_max = (thorough ? 64ULL : 20ULL) * 1024 * 1024;
    const auto resident_bytes = [] {
        std::ifstream statm("/proc/self/statm");
        std::uint64_t size = 0, resident = 0;
        statm >> size >> resident;
        return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    };
    const tests::temporary_folder folder;
    const file_spool_settings settings{
        .folder = folder.path(), .fsync = tickd::fsync_policy::never, .warn = {}};
    block full;
    std::mt19937_64 random(9);
    while (full.row_count() < 1000) tests::fill_randomly(full, random, 500);
    std::uint64_t blocks = 0;
    {
        auto spool = open_spool(settings);
        REQUIRE(spool->append(full, std::nullopt));
        const std::uint64_t before = resident_bytes();
        for (blocks = 1; spool->bytes() < bytes; ++blocks) {
            REQUIRE(spool->append(full, std::nullopt));
        }
        CHECK(resident_bytes() < before + growth_max);
    }
    const std::uint64_t before = resident_bytes();
    auto spool = open_spool(settings);
    CHECK(spool->recovery().blocks == blocks);
    CHECK(read_all(*spool).size() == blocks);
    CHECK(resident_bytes() < before + growth_max);
}
