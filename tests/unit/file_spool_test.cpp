#include "daemon/spool/file_spool.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/records.h"
#include "tests/unit/spool_blocks.h"
#include "tests/unit/spool_support.h"
#include "tests/unit/temporary_folder.h"

namespace fs = std::filesystem;
using ingest::block;
using tests::append;
using tests::bytes_in;
using tests::describe;
using tests::files_in;
using tests::in_killed_process;
using tests::numbered_block;
using tests::open_spool;
using tests::read_all;
using tests::require;
using tickd::file_spool;
using tickd::file_spool_settings;

TEST_CASE("blocks come back in order, as they were, with their doubts", "[file_spool]") {
    const tests::temporary_folder folder;
    auto spool = open_spool({.folder = folder.path() / "lane-0", .file_bytes = 20'000, .warn = {}});
    std::mt19937_64 random(7);
    std::vector<std::string> wanted;
    for (int i = 0; i < 40; ++i) {
        block next;
        tests::fill_randomly(next, random, 30);
        std::optional<ingest::batch_name> doubt;
        if (i % 3 == 0) doubt = {.epoch = -i, .number = std::int64_t{1} << 60U};
        REQUIRE(spool->append(next, doubt));
        wanted.push_back(describe(next));
    }
    CHECK(files_in(folder.path() / "lane-0", ".spool").size() > 3);

    for (int round = 0; round < 2; ++round) {
        block into;
        for (int i = 0; i < 40; ++i) {
            CAPTURE(round, i);
            const auto entry = spool->read(into);
            REQUIRE(entry);
            CHECK(entry->number == i + 1);
            CHECK(describe(into) == wanted[static_cast<std::size_t>(i)]);
            REQUIRE(entry->doubt.has_value() == (i % 3 == 0));
            if (entry->doubt) {
                CHECK(entry->doubt->epoch == -i);
                CHECK(entry->doubt->number == std::int64_t{1} << 60U);
            }
        }
        CHECK_FALSE(spool->read(into));
        spool->rewind();
    }
}

TEST_CASE("what is appended while it is read is read as well", "[file_spool]") {
    const tests::temporary_folder folder;
    auto spool = open_spool({.folder = folder.path(), .file_bytes = 5'000, .warn = {}});
    CHECK(read_all(*spool).empty());
    std::int64_t next = 1;
    for (std::int64_t round = 1; round < 20; ++round) {
        append(*spool, next, next + round - 1);
        std::vector<std::int64_t> wanted;
        for (std::int64_t i = 0; i < round; ++i) wanted.push_back(next++);
        REQUIRE(read_all(*spool) == wanted);
    }
}

TEST_CASE("committed blocks are not read again and their files go", "[file_spool]") {
    const tests::temporary_folder folder;
    auto spool = open_spool({.folder = folder.path(), .file_bytes = 5'000, .warn = {}});
    CHECK(spool->empty());
    append(*spool, 1, 30);
    CHECK_FALSE(spool->empty());
    CHECK(spool->bytes() == bytes_in(folder.path()));
    const std::size_t before = files_in(folder.path(), ".spool").size();

    spool->committed(17);
    CHECK(files_in(folder.path(), ".spool").size() < before);
    CHECK(spool->bytes() == bytes_in(folder.path()));
    CHECK(read_all(*spool).front() == 18);
    spool->rewind();
    CHECK(read_all(*spool).size() == 13);
    spool->committed(5);  // Older news changes nothing.
    spool->rewind();
    CHECK(read_all(*spool).front() == 18);

    spool->committed(30);
    CHECK(spool->empty());
    CHECK(files_in(folder.path(), ".spool").empty());
    CHECK(spool->bytes() == 0);
    append(*spool, 31, 31);
    CHECK(read_all(*spool) == std::vector<std::int64_t>{31});
}

TEST_CASE("a commit ahead of the reader moves it on", "[file_spool]") {
    const tests::temporary_folder folder;
    auto spool = open_spool({.folder = folder.path(), .file_bytes = 5'000, .warn = {}});
    append(*spool, 1, 30);
    block into;
    REQUIRE(spool->read(into)->number == 1);
    spool->committed(29);
    REQUIRE(spool->read(into)->number == 30);
    CHECK_FALSE(spool->read(into));
}

TEST_CASE("a restart finds every block and the same name", "[file_spool]") {
    const tests::temporary_folder folder;
    ingest::uuid name;
    {
        auto spool = open_spool({.folder = folder.path(), .file_bytes = 5'000, .warn = {}});
        name = spool->name();
        append(*spool, 1, 30);
    }
    auto spool = open_spool(folder.path());
    CHECK(spool->name() == name);
    CHECK(name != ingest::uuid{});
    const tickd::spool_recovery& found = spool->recovery();
    CHECK(found.blocks == 30);
    CHECK(found.rows == 30 * tests::rows_of_numbered_block);
    CHECK(found.bytes == bytes_in(folder.path()));
    CHECK(found.torn_bytes == 0);
    CHECK(found.damaged_blocks == 0);
    CHECK(found.messages.empty());
    CHECK(spool->newest_seq("feed-a") == 30 * tests::rows_of_numbered_block);
    CHECK(spool->next_number() == 31);
    spool->committed(20);
    CHECK(read_all(*spool).size() == 10);
    append(*spool, 31, 31);
    CHECK(read_all(*spool) == std::vector<std::int64_t>{31});
    CHECK((fs::status(folder.path() / "identity").permissions() & fs::perms::mask) ==
          (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a killed process loses nothing that was appended", "[file_spool]") {
    const tests::temporary_folder folder;
    in_killed_process([&] {
        auto spool = file_spool::open({.folder = folder.path(), .warn = {}});
        require(spool.has_value());
        for (std::int64_t i = 1; i <= 5; ++i) {
            require((*spool)->append(*numbered_block(i), std::nullopt).has_value());
        }
    });
    auto spool = open_spool(folder.path());
    CHECK(spool->recovery().blocks == 5);
    CHECK(spool->recovery().messages.empty());
    CHECK(read_all(*spool) == std::vector<std::int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("numbers are never used again", "[file_spool]") {
    const tests::temporary_folder folder;
    std::int64_t used = 0;
    const auto append_one = [&](file_spool& to) {
        const std::int64_t number = to.next_number();
        REQUIRE(number > used);
        used = number;
        REQUIRE(to.append(*numbered_block(number), std::nullopt));
    };

    SECTION("after an orderly end with nothing left") {
        for (int round = 1; round <= 5; ++round) {
            auto spool = open_spool(folder.path());
            append_one(*spool);
            CHECK(used == round);
            spool->committed(used);
            CHECK(files_in(folder.path(), ".spool").empty());
        }
    }
    SECTION("after a kill with nothing left") {
        for (int round = 0; round < 3; ++round) {
            in_killed_process([&] {
                auto spool = file_spool::open({.folder = folder.path(), .warn = {}});
                require(spool.has_value());
                require((*spool)->next_number() > used);
                require((*spool)->append(*numbered_block(1), std::nullopt).has_value());
                (*spool)->committed((*spool)->next_number() - 1);
            });
            append_one(*open_spool(folder.path()));
        }
    }
    SECTION("after a kill and the loss of blocks that may have been committed") {
        in_killed_process([&] {
            auto spool = file_spool::open({.folder = folder.path(), .warn = {}});
            require(spool.has_value());
            for (std::int64_t i = 1; i <= 5; ++i) {
                require((*spool)->append(*numbered_block(i), std::nullopt).has_value());
            }
        });
        used = 5;
        fs::resize_file(files_in(folder.path(), ".spool").at(0), 40);
        append_one(*open_spool(folder.path()));
    }
    SECTION("when the ledger knows more than the spool") {
        auto spool = open_spool(folder.path());
        append_one(*spool);
        used = 5000;
        spool->committed(used);
        append_one(*spool);
        append_one(*spool);
        CHECK(read_all(*spool) == std::vector<std::int64_t>{5001, 5002});
    }
    SECTION("when the file that knows the next one is lost") {
        append_one(*open_spool(folder.path()));
        fs::remove(folder.path() / "next");
        auto spool = open_spool(folder.path());
        CHECK(spool->recovery().messages.size() == 1);
        append_one(*spool);
        CHECK(used > 1'000'000);
    }
    SECTION("nor under the same name when nothing else is there") {
        ingest::uuid name;
        {
            auto spool = open_spool(folder.path());
            append_one(*spool);
            name = spool->name();
            spool->committed(used);
        }
        std::ofstream(folder.path() / "next") << "12x\n";
        CHECK(open_spool(folder.path())->name() != name);
    }
}

TEST_CASE("a lost identity is taken from the files", "[file_spool]") {
    const tests::temporary_folder folder;
    ingest::uuid name;
    {
        auto spool = open_spool(folder.path());
        append(*spool, 1, 2);
        name = spool->name();
    }
    std::ofstream(folder.path() / "identity", std::ios::trunc) << "not a name";
    {
        auto spool = open_spool(folder.path());
        CHECK(spool->name() == name);
        CHECK(spool->recovery().messages.size() == 1);
        CHECK(read_all(*spool).size() == 2);
    }
    CHECK(open_spool(folder.path())->recovery().messages.empty());
}

TEST_CASE("the newest sequence is known while it is not committed", "[file_spool]") {
    const tests::temporary_folder folder;
    auto spool = open_spool(folder.path());
    CHECK(spool->newest_seq("feed-a") == 0);
    append(*spool, 1, 3);
    block other;
    const std::uint16_t from = tickd::test::add_origin(other, "feed-b", 2, 100);
    tickd::test::keep_tick(other, from, 107);
    (void)tickd::test::add_origin(other, "", 0, 0);
    const std::uint16_t lost = tickd::test::add_origin(other, "feed-c", 3, 0);
    tickd::test::keep_tick(other, lost, 1);
    other.drop_producer("feed-c");
    REQUIRE(spool->append(other, std::nullopt));
    CHECK(spool->newest_seq("feed-a") == 30);
    CHECK(spool->newest_seq("feed-b") == 107);
    CHECK(spool->newest_seq("feed-c") == 0);
    CHECK(spool->newest_seq("") == 0);
    spool->committed(3);
    CHECK(spool->newest_seq("feed-a") == 0);
    CHECK(spool->newest_seq("feed-b") == 107);
}

TEST_CASE("a spool has one user", "[file_spool]") {
    const tests::temporary_folder folder;
    auto first = open_spool(folder.path());
    append(*first, 1, 1);
    const auto second = file_spool::open({.folder = folder.path(), .warn = {}});
    REQUIRE_FALSE(second);
    CHECK(second.error().find("in use by another tickd") != std::string::npos);
    CHECK(read_all(*first).size() == 1);
    first.reset();
    CHECK(read_all(*open_spool(folder.path())).size() == 1);
}

TEST_CASE("a folder that cannot be used is refused with what to do", "[file_spool]") {
    const tests::temporary_folder folder;
    const std::string file = folder.file("file", "");
    for (const std::string& path : {file, file + "/lane-0", file + "/spool/lane-0"}) {
        const auto opened = file_spool::open({.folder = path, .warn = {}});
        REQUIRE_FALSE(opened);
        INFO(opened.error());
        CHECK(opened.error().find(path) != std::string::npos);
        CHECK(opened.error().find("spool.folder") != std::string::npos);
    }
}

TEST_CASE("a spool's folder is made for its owner alone", "[file_spool]") {
    const tests::temporary_folder folder;
    const fs::path path = folder.path() / "spool" / "lane-3";
    auto spool = open_spool(path);
    CHECK(fs::status(path).permissions() == fs::perms::owner_all);
    CHECK(fs::status(path.parent_path()).permissions() == fs::perms::owner_all);
}

TEST_CASE("without fsync a spool works the same", "[file_spool]") {
    const tests::temporary_folder folder;
    const file_spool_settings settings{.folder = folder.path(),
                                       .file_bytes = 5'000,
                                       .fsync = tickd::fsync_policy::never,
                                       .warn = {}};
    append(*open_spool(settings), 1, 20);
    CHECK(read_all(*open_spool(settings)).size() == 20);
}
