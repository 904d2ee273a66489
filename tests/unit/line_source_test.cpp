#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "daemon/send/line_source.h"
#include "tests/unit/temporary_folder.h"

namespace {

using tests::temporary_folder;
using namespace tickd;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::string gzip(std::string_view text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    std::string in{text};
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

struct everything {
    std::string bytes;
    std::uint64_t records = 0;
    bool failed = false;
    source_error error;  // when failed
};

everything read_all(line_source& source, std::uint64_t records_max = no_limit) {
    everything all;
    for (;;) {
        const auto run = source.next(records_max);
        if (!run) {
            all.failed = true;
            all.error = run.error();
            return all;
        }
        if (run->bytes.empty()) return all;
        REQUIRE(run->records <= records_max);
        if (run->ends_line) REQUIRE(run->bytes.back() == '\n');
        all.bytes += run->bytes;
        all.records += run->records;
    }
}

everything read_file(const std::string& path, std::uint64_t records_max = no_limit) {
    auto source = line_source::open({path});
    REQUIRE(source.has_value());
    return read_all(*source, records_max);
}

std::string many_lines(std::size_t lines) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) {
        text +=
            "{\"n\":" + std::to_string(i) + ",\"x\":\"" + std::string(i * 37 % 200, 'x') + "\"}\n";
    }
    return text;
}

TEST_CASE("a file comes out as it is", "[line_source]") {
    const temporary_folder folder;
    const std::string text = many_lines(20'000);
    const auto all = read_file(folder.file("a.ndjson", text));
    CHECK_FALSE(all.failed);
    CHECK(all.records == 20'000);
    CHECK(all.bytes == text);
}

TEST_CASE("a gzip file comes out as what is in it", "[line_source]") {
    const temporary_folder folder;
    const std::string text = many_lines(20'000);
    // By its bytes, not its name.
    for (const char* name : {"a.ndjson.gz", "a.ndjson"}) {
        const auto all = read_file(folder.file(name, gzip(text)));
        CHECK_FALSE(all.failed);
        CHECK(all.records == 20'000);
        CHECK(all.bytes == text);
    }
}

TEST_CASE("gzip members behind each other, and zeros behind them, are one text", "[line_source]") {
    const temporary_folder folder;
    const auto all = read_file(
        folder.file("a.gz", gzip("one\ntw") + gzip("o\n") + gzip("") + std::string(1000, '\0')));
    CHECK_FALSE(all.failed);
    CHECK(all.bytes == "one\ntwo\n");
}

TEST_CASE("an input's last line gets its end, and inputs stay apart", "[line_source]") {
    const temporary_folder folder;
    auto source = line_source::open({folder.file("a", "1\n2"), folder.file("b.gz", gzip("3")),
                                     folder.file("empty", ""), folder.file("empty.gz", gzip("")),
                                     folder.file("c", "4\n")});
    REQUIRE(source.has_value());
    const auto all = read_all(*source);
    CHECK(all.bytes == "1\n2\n3\n4\n");
    CHECK(all.records == 4);
}

TEST_CASE("at most as many records as asked for, blank lines not counted", "[line_source]") {
    const temporary_folder folder;
    auto source = line_source::open({folder.file("a", "\n1\n\r\n2\r\n3\n\n")});
    REQUIRE(source.has_value());
    auto run = source->next(1);
    REQUIRE(run.has_value());
    CHECK(run->bytes == "\n1\n");
    CHECK(run->records == 1);
    run = source->next(1);
    REQUIRE(run.has_value());
    CHECK(run->bytes == "\r\n2\r\n");
    run = source->next(5);
    REQUIRE(run.has_value());
    CHECK(run->bytes == "3\n\n");
    CHECK(run->records == 1);
    run = source->next(5);
    REQUIRE(run.has_value());
    CHECK(run->bytes.empty());

    const std::string text = many_lines(5000);
    CHECK(read_file(folder.file("b", text), 1).bytes == text);
    CHECK(read_file(folder.file("b", text), 7).bytes == text);
}

TEST_CASE("a line too long to hold comes in pieces and counts once", "[line_source]") {
    const temporary_folder folder;
    const std::string text =
        "a\n" + std::string(line_source::line_bytes_max * 2 + 12'345, 'x') + "\nb\n";
    auto source = line_source::open({folder.file("a.gz", gzip(text))});
    REQUIRE(source.has_value());
    const auto all = read_all(*source);
    CHECK(all.records == 3);
    CHECK(all.bytes == text);
}

TEST_CASE("bytes taken reach the total, by what is stored", "[line_source]") {
    const temporary_folder folder;
    const std::string plain = many_lines(3000);
    const std::string packed = gzip(plain);
    auto source = line_source::open({folder.file("a", plain), folder.file("b.gz", packed)});
    REQUIRE(source.has_value());
    REQUIRE(source->stored_bytes_total() == plain.size() + packed.size());
    CHECK(source->stored_bytes_read() == 0);
    REQUIRE(source->next(1500).has_value());
    CHECK(source->stored_bytes_read() > plain.size() * 4 / 10);
    CHECK(source->stored_bytes_read() < plain.size() * 6 / 10);
    (void)read_all(*source);
    CHECK(source->stored_bytes_read() == plain.size() + packed.size());
}

TEST_CASE("an input that cannot be read is found before anything is", "[line_source]") {
    const temporary_folder folder;
    const std::string good = folder.file("a", "1\n");
    for (const std::string& bad : {folder.path().string(), (folder.path() / "none").string()}) {
        const auto source = line_source::open({good, bad});
        REQUIRE_FALSE(source.has_value());
        CHECK(source.error().fault == source_fault::unreadable);
        CHECK(source.error().message.starts_with(bad));
    }
    if (geteuid() != 0) {  // root may read everything
        const std::string secret = folder.file("secret", "1\n");
        REQUIRE(chmod(secret.c_str(), 0) == 0);
        CHECK_FALSE(line_source::open({secret}).has_value());
    }
}

TEST_CASE("gzip cut short gives its whole lines, then the error, and keeps it", "[line_source]") {
    const temporary_folder folder;
    const std::string text = many_lines(5000);
    const std::string packed = gzip(text);
    for (const std::size_t cut : {std::size_t{3}, packed.size() / 2, packed.size() - 1}) {
        auto source = line_source::open({folder.file("a.gz", packed.substr(0, cut))});
        REQUIRE(source.has_value());
        const auto all = read_all(*source);
        REQUIRE(all.failed);
        CHECK(all.error.fault == source_fault::bad_data);
        CHECK(all.error.message.contains("cut short"));
        CHECK(text.starts_with(all.bytes));
        if (cut > 3) CHECK(all.records > 1000);
        CHECK_FALSE(source->next(1).has_value());
    }
}

TEST_CASE("damaged gzip and what is no gzip are refused", "[line_source]") {
    const temporary_folder folder;
    const std::string text = many_lines(5000);
    std::string packed = gzip(text);
    packed[packed.size() - 5] = static_cast<char>(packed[packed.size() - 5] ^ 1);  // its checksum
    const auto damaged = read_file(folder.file("a.gz", packed));
    REQUIRE(damaged.failed);
    CHECK(damaged.error.fault == source_fault::bad_data);
    CHECK(damaged.bytes == text);

    const auto named = read_file(folder.file("b.gz", "{}\n"));
    REQUIRE(named.failed);
    CHECK(named.error.fault == source_fault::bad_data);

    const auto trailing = read_file(folder.file("c.gz", gzip("1\n") + "rubbish"));
    REQUIRE(trailing.failed);
    CHECK(trailing.error.fault == source_fault::bad_data);
    CHECK(trailing.bytes == "1\n");
}

// A named pipe stands for stdin: its reads wait.
TEST_CASE("lines of a pipe come as soon as they are whole", "[line_source]") {
    const temporary_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    const int writer = open(pipe.c_str(), O_RDWR);
    REQUIRE(writer >= 0);
    auto source = line_source::open({pipe});
    REQUIRE(source.has_value());
    CHECK_FALSE(source->stored_bytes_total().has_value());
    REQUIRE(write(writer, "1\n2", 3) == 3);
    auto run = source->next(no_limit);
    REQUIRE(run.has_value());
    CHECK(run->bytes == "1\n");
    REQUIRE(write(writer, "3\n", 2) == 2);
    run = source->next(no_limit);
    REQUIRE(run.has_value());
    CHECK(run->bytes == "23\n");
    close(writer);
    run = source->next(no_limit);
    REQUIRE(run.has_value());
    CHECK(run->bytes.empty());
}

TEST_CASE("a stop ends waiting for a pipe", "[line_source]") {
    const temporary_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    const int writer = open(pipe.c_str(), O_RDWR);
    std::array<int, 2> stop{};
    REQUIRE(::pipe(stop.data()) == 0);
    auto source = line_source::open({pipe}, stop[0]);
    REQUIRE(source.has_value());
    REQUIRE(write(writer, "half a line", 11) == 11);
    std::jthread stopper{[&] { (void)!write(stop[1], "x", 1); }};
    const auto run = source->next(no_limit);
    REQUIRE_FALSE(run.has_value());
    CHECK(run.error().fault == source_fault::stopped);
    stopper.join();
    close(writer);
    close(stop[0]);
    close(stop[1]);
}

}  // namespace
