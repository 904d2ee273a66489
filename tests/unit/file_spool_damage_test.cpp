// A spool that begins with files that were cut, flipped or written by somebody else: it always
// opens, loses only what is damaged and says what that was.
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/spool/file_spool.h"
#include "daemon/spool/spool_file.h"
#include "ingest/block_codec.h"
#include "tests/support/records.h"
#include "tests/unit/spool_blocks.h"
#include "tests/unit/spool_support.h"
#include "tests/unit/temporary_folder.h"

namespace fs = std::filesystem;
using ingest::block;
using tests::append;
using tests::describe;
using tests::files_in;
using tests::numbered_block;
using tests::open_spool;
using tests::read_all;
using tickd::file_spool;

namespace {

std::string content_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, std::string_view content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    REQUIRE(out.flush());
}

void flip_bit(std::string& in, std::size_t bit) {
    in[bit / 8] = static_cast<char>(in[bit / 8] ^ (1 << (bit % 8)));
}

bool any_has(const std::vector<std::string>& messages, std::string_view words) {
    for (const std::string& each : messages) {
        if (each.find(words) != std::string::npos) return true;
    }
    return false;
}

// A folder with the numbered blocks 1 to `blocks`, and its files as they were.
class pristine_spool {
public:
    pristine_spool(std::int64_t blocks, std::uint64_t file_bytes) {
        {
            auto spool = open_spool({.folder = folder(), .file_bytes = file_bytes, .warn = {}});
            append(*spool, 1, blocks);
        }
        for (const fs::path& each : files_in(folder(), ".spool")) {
            files_.emplace(each.filename(), content_of(each));
        }
    }
    [[nodiscard]] fs::path folder() const { return folder_.path() / "lane-0"; }
    [[nodiscard]] const std::map<std::string, std::string>& files() const { return files_; }
    void restore() const {
        for (const char* const extension : {".spool", ".damaged"}) {
            for (const fs::path& each : files_in(folder(), extension)) fs::remove(each);
        }
        for (const auto& [name, content] : files_) write(folder() / name, content);
    }

private:
    tests::temporary_folder folder_;
    std::map<std::string, std::string> files_;
};

// Reads everything; each block is the one that was written under its number.
std::vector<std::int64_t> read_intact(file_spool& from) {
    static std::map<std::int64_t, std::string> wanted;
    std::vector<std::int64_t> numbers;
    block into;
    while (const auto entry = from.read(into)) {
        std::string& text = wanted[entry->number];
        if (text.empty()) text = describe(*numbered_block(entry->number));
        REQUIRE(describe(into) == text);
        if (!numbers.empty()) REQUIRE(entry->number > numbers.back());
        numbers.push_back(entry->number);
    }
    return numbers;
}

}  // namespace

TEST_CASE("a last entry cut at any byte costs that entry alone", "[file_spool]") {
    const pristine_spool pristine(3, 1'000'000);
    REQUIRE(pristine.files().size() == 1);
    const auto& [name, whole] = *pristine.files().begin();
    std::size_t two_blocks = 0;
    {
        const tests::temporary_folder other;
        append(*open_spool(other.path()), 1, 2);
        two_blocks = content_of(files_in(other.path(), ".spool").at(0)).size();
    }
    for (std::size_t length = two_blocks; length < whole.size(); ++length) {
        CAPTURE(length);
        pristine.restore();
        write(pristine.folder() / name, std::string_view(whole).substr(0, length));
        {
            auto spool = open_spool(pristine.folder());
            REQUIRE(spool->recovery().torn_bytes == length - two_blocks);
            REQUIRE(spool->recovery().messages.empty() == (length == two_blocks));
            REQUIRE(spool->recovery().damaged_blocks == 0);
            REQUIRE(spool->recovery().blocks == 2);
            REQUIRE(fs::file_size(pristine.folder() / name) == two_blocks);
            REQUIRE(read_intact(*spool) == std::vector<std::int64_t>{1, 2});
        }
        // The second start finds it repaired. Seldom: this costs an fsync more.
        if (length % 64 == 0) REQUIRE(open_spool(pristine.folder())->recovery().messages.empty());
    }
}

TEST_CASE("a first entry that was cut leaves an empty spool", "[file_spool]") {
    const pristine_spool pristine(1, 1'000'000);
    const auto& [name, whole] = *pristine.files().begin();
    // Every byte of the headers, and some of the payload.
    for (std::size_t length = 0; length < whole.size(); length += length < 80 ? 1 : 97) {
        CAPTURE(length);
        pristine.restore();
        write(pristine.folder() / name, std::string_view(whole).substr(0, length));
        auto spool = open_spool(pristine.folder());
        REQUIRE(spool->empty());
        REQUIRE(spool->recovery().blocks == 0);
        REQUIRE(files_in(pristine.folder(), ".spool").empty());
    }
    auto spool = open_spool(pristine.folder());
    CHECK(spool->next_number() > 1);
}

TEST_CASE("one flipped bit costs one block at most", "[file_spool]") {
    const pristine_spool pristine(12, 6'000);
    REQUIRE(pristine.files().size() >= 3);
    std::size_t whole = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        pristine.restore();
        auto file = pristine.files().begin();
        std::advance(file, random() % pristine.files().size());
        std::string content = file->second;
        flip_bit(content, random() % (content.size() * 8));
        write(pristine.folder() / file->first, content);

        std::vector<std::int64_t> numbers;
        std::int64_t next = 0;
        {
            auto spool = open_spool(pristine.folder());
            numbers = read_intact(*spool);
            REQUIRE(numbers.size() >= 11);
            REQUIRE(numbers.size() == spool->recovery().blocks);
            REQUIRE(12 - numbers.size() == spool->recovery().damaged_blocks);
            REQUIRE(spool->recovery().torn_bytes == 0);
            REQUIRE_FALSE(spool->recovery().messages.empty());
            if (numbers.size() == 12) ++whole;
            next = spool->next_number();
            REQUIRE(next > 12);
            if (seed % 20 != 0) continue;
            // It goes on as any other.
            append(*spool, next, next);
            REQUIRE(read_intact(*spool) == std::vector<std::int64_t>{next});
        }
        auto again = open_spool(pristine.folder());
        numbers.push_back(next);
        REQUIRE(read_intact(*again) == numbers);
        again->committed(next);
        REQUIRE(again->empty());
        REQUIRE(files_in(pristine.folder(), ".spool").empty());
        // Nothing that is damaged was deleted.
        REQUIRE(files_in(pristine.folder(), ".damaged").size() == 1);
        REQUIRE(content_of(files_in(pristine.folder(), ".damaged").at(0)) == content);
    }
    CHECK(whole > 0);  // a bit of a file's header costs no block
    CHECK(whole < 500);
}

TEST_CASE("much damage never hurts what is whole", "[file_spool]") {
    const pristine_spool pristine(12, 6'000);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        pristine.restore();
        for (const auto& [name, original] : pristine.files()) {
            std::string content = original;
            for (auto times = random() % 6; times > 0; --times) {
                const std::size_t at = random() % content.size();
                switch (random() % 4) {
                    case 0: content.erase(at, random() % 100); break;
                    case 1: content.insert(at, random() % 100, static_cast<char>(random())); break;
                    case 2:
                        content.insert(at, content.substr(random() % content.size(), 900));
                        break;
                    default: flip_bit(content, at * 8 + random() % 8); break;
                }
                if (content.empty()) break;
            }
            write(pristine.folder() / name, content);
        }
        auto spool = open_spool(pristine.folder());
        const auto numbers = read_intact(*spool);
        REQUIRE(numbers.size() == spool->recovery().blocks);
        REQUIRE(spool->next_number() > 12);
        append(*spool, spool->next_number(), spool->next_number());
        REQUIRE(read_intact(*spool).size() == 1);
        spool->committed(spool->next_number() - 1);
        REQUIRE(spool->empty());
    }
}

TEST_CASE("what is lost is told by producer and sequence", "[file_spool]") {
    const pristine_spool pristine(5, 1'000'000);
    const auto& [name, whole] = *pristine.files().begin();
    const std::size_t entry_bytes = (whole.size() - tickd::spool_file_header_bytes) / 5;
    auto damage = [&, file = name, content = whole](std::size_t block_number) mutable {
        const std::size_t begin = tickd::spool_file_header_bytes + (block_number - 1) * entry_bytes;
        flip_bit(content, (begin + entry_bytes / 2) * 8);
        write(pristine.folder() / file, content);
    };
    SECTION("between two blocks of the producer") {
        damage(3);
        auto spool = open_spool(pristine.folder());
        CHECK(any_has(spool->recovery().messages, "block 3 is damaged"));
        CHECK(any_has(spool->recovery().messages,
                      "producer feed-a: its sequences 21 to 30 are among the lost"));
        CHECK(read_intact(*spool) == std::vector<std::int64_t>{1, 2, 4, 5});
    }
    SECTION("before the first") {
        damage(1);
        damage(2);
        auto spool = open_spool(pristine.folder());
        CHECK(spool->recovery().damaged_blocks == 2);
        CHECK(any_has(spool->recovery().messages,
                      "producer feed-a: records up to sequence 20 may be among the lost"));
    }
    SECTION("behind the last") {
        damage(5);
        auto spool = open_spool(pristine.folder());
        CHECK(any_has(spool->recovery().messages,
                      "producer feed-a: what it sent behind sequence 40 may be among the lost"));
        CHECK(spool->newest_seq("feed-a") == 40);
    }
}

TEST_CASE("zeros at the end are a torn tail", "[file_spool]") {
    const pristine_spool pristine(2, 1'000'000);
    const auto& [name, whole] = *pristine.files().begin();
    for (const std::size_t zeros : {1UL, 40UL, 41UL, 5000UL, 600'000UL}) {
        CAPTURE(zeros);
        pristine.restore();
        write(pristine.folder() / name, whole + std::string(zeros, '\0'));
        auto spool = open_spool(pristine.folder());
        CHECK(spool->recovery().torn_bytes == zeros);
        CHECK(spool->recovery().damaged_blocks == 0);
        CHECK(read_intact(*spool).size() == 2);
        CHECK(content_of(pristine.folder() / name) == whole);
    }
}

TEST_CASE("files of others are set aside", "[file_spool]") {
    const pristine_spool pristine(2, 1'000'000), other(3, 1'000'000);
    const fs::path foreign = pristine.folder() / "00000000000000000009.spool";
    const fs::path noise = pristine.folder() / "00000000000000000010.spool";
    write(foreign, other.files().begin()->second);
    write(noise, std::string(300'000, 'x'));
    write(pristine.folder() / "00000000000000000011.spool", "");
    write(pristine.folder() / "readme.txt", "not ours");
    auto spool = open_spool(pristine.folder());
    CHECK(read_intact(*spool) == std::vector<std::int64_t>{1, 2});
    CHECK(any_has(spool->recovery().messages, "belongs to the spool"));
    CHECK(fs::exists(foreign.string() + ".damaged"));
    CHECK(fs::exists(noise.string() + ".damaged"));
    CHECK(files_in(pristine.folder(), ".spool").size() == 1);
    CHECK(fs::exists(pristine.folder() / "readme.txt"));
}

TEST_CASE("a copied file doubles nothing", "[file_spool]") {
    const pristine_spool pristine(3, 1'000'000);
    write(pristine.folder() / "00000000000000000002.spool", pristine.files().begin()->second);
    auto spool = open_spool(pristine.folder());
    CHECK(read_intact(*spool) == std::vector<std::int64_t>{1, 2, 3});
    CHECK(spool->recovery().blocks == 3);
    CHECK(files_in(pristine.folder(), ".damaged").size() == 1);
}

TEST_CASE("what a newer version wrote is left alone", "[file_spool]") {
    const pristine_spool pristine(1, 1'000'000);
    const fs::path path = pristine.folder() / pristine.files().begin()->first;
    const ingest::uuid identity = open_spool(pristine.folder())->name();
    ingest::byte_buffer payload;
    ingest::block_codec::encode(*numbered_block(1), payload);
    ++payload.data()[0];
    std::string entry(tickd::spool_entry_header_bytes, '\0');
    tickd::write_spool_entry_header(identity, {1, std::nullopt}, payload.view(), entry.data());
    const auto header = tickd::spool_file_header(identity);
    const std::string content =
        std::string(header.data(), header.size()) + entry + std::string(payload.view());
    write(path, content);
    const auto opened = file_spool::open({.folder = pristine.folder(), .warn = {}});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().find("newer version") != std::string::npos);
    CHECK(content_of(path) == content);
}

TEST_CASE("an entry that a producer sent inside a record is never taken for one", "[file_spool]") {
    const tests::temporary_folder folder, other;
    append(*open_spool(other.path()), 1, 2);
    const std::string forged =
        content_of(files_in(other.path(), ".spool").at(0)).substr(tickd::spool_file_header_bytes);
    {
        auto spool = open_spool(folder.path());
        block bait;
        const std::uint16_t from = tickd::test::add_origin(bait, "feed-a", 1, 0);
        bait.keep_refused({ingest::verdict::not_utf8, {}}, 1, forged, forged.size(), 1, from);
        REQUIRE(spool->append(bait, std::nullopt));
        REQUIRE(spool->append(*numbered_block(2), std::nullopt));
    }
    const fs::path path = files_in(folder.path(), ".spool").at(0);
    std::string content = content_of(path);
    REQUIRE(content.find(forged) != std::string::npos);
    flip_bit(content, tickd::spool_file_header_bytes * 8);  // The search begins behind it.
    write(path, content);
    auto spool = open_spool(folder.path());
    CHECK(spool->recovery().damaged_blocks == 1);
    CHECK(read_intact(*spool) == std::vector<std::int64_t>{2});
}

TEST_CASE("damage that comes while the spool is open is left out and kept", "[file_spool]") {
    const tests::temporary_folder folder;
    std::vector<std::string> warnings;
    auto spool = open_spool({.folder = folder.path(),
                             .warn = [&](const std::string& text) { warnings.push_back(text); }});
    append(*spool, 1, 4);
    const fs::path path = files_in(folder.path(), ".spool").at(0);
    const auto damage_at = [&](std::uint64_t offset, std::size_t bytes) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file << std::string(bytes, '!');
        REQUIRE(file.flush());
    };
    const std::uint64_t size = fs::file_size(path);
    SECTION("between others") {
        damage_at(size / 2 - 100, 10);
        CHECK(read_intact(*spool).size() == 3);
    }
    SECTION("at the end") {
        damage_at(size - 100, 10);
        CHECK(read_intact(*spool).size() == 3);
        // There is nothing to wait for.
        spool->committed(3);
        CHECK(spool->empty());
    }
    CHECK(warnings.size() >= 1);
    spool->rewind();
    (void)read_all(*spool);
    spool->committed(4);
    CHECK(spool->empty());
    CHECK(files_in(folder.path(), ".spool").empty());
    CHECK(files_in(folder.path(), ".damaged").size() == 1);
    append(*spool, 5, 5);
    CHECK(read_intact(*spool) == std::vector<std::int64_t>{5});
}
