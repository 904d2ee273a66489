// The reader in Python, which shares no code with ours, reads what our encoder makes: with numpy,
// and without it (-S keeps python3 from what is installed beside its standard library).
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "ingest/decimal.h"
#include "ingest/timestamp.h"
#include "tests/support/segment_streams.h"

using tickd::test::stored_segment;
using tickd::test::stream_tick;

namespace {

class temporary_folder {
public:
    temporary_folder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "tickd-segments.XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~temporary_folder() { std::filesystem::remove_all(path); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    std::filesystem::path path;
};

void put_big_endian(std::string& to, std::uint32_t value, int bytes) {
    for (int at = bytes - 1; at >= 0; --at) to += static_cast<char>(value >> (8 * at) & 0xFFU);
}

// What COPY (SELECT data, metadata ...) TO STDOUT (FORMAT binary) sends.
std::string copy_stream(const std::vector<stored_segment>& segments) {
    std::string stream("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (const stored_segment& each : segments) {
        put_big_endian(stream, 2, 2);
        put_big_endian(stream, static_cast<std::uint32_t>(each.data.size()), 4);
        stream += each.data;
        put_big_endian(
            stream,
            each.metadata.empty() ? 0xFFFF'FFFF : static_cast<std::uint32_t>(each.metadata.size()),
            4);
        stream += each.metadata;
    }
    put_big_endian(stream, 0xFFFF, 2);
    return stream;
}

std::string quoted_csv(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

std::string csv_of(const std::vector<stream_tick>& ticks) {
    std::string csv;
    for (const stream_tick& tick : ticks) {
        csv +=
            std::format("{},{},{},{},{},{},{},{}\n", ingest::to_rfc3339(tick.time_us), tick.symbol,
                        ingest::to_text(tick.bid), ingest::to_text(tick.ask),
                        ingest::to_text(tick.mid), tick.volume ? ingest::to_text(*tick.volume) : "",
                        tick.source.value_or(""), quoted_csv(tick.metadata.value_or("")));
    }
    return csv;
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>{in}, {}};
}

int run(const std::string& command) { return std::system(command.c_str()); }

}  // namespace

TEST_CASE("the reader in Python reads the same ticks") {
    const temporary_folder folder;
    const auto file = folder.path / "segments.bin", out = folder.path / "ticks.csv";
    ingest::segment_encoder encoder;
    std::vector<stored_segment> segments;
    std::vector<stream_tick> ticks;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        std::mt19937_64 random(seed);
        const auto stream = tickd::test::random_stream(random, 300);
        const auto some = tickd::test::into_segments(encoder, stream);
        segments.insert(segments.end(), some.begin(), some.end());
        ticks.insert(ticks.end(), stream.begin(), stream.end());
    }
    std::ranges::stable_sort(ticks, {}, &stream_tick::time_us);
    std::ofstream(file, std::ios::binary) << copy_stream(segments);

    const bool numpy = run("python3 -c 'import numpy' 2>/dev/null") == 0;
    for (const char* python : {"python3", "python3 -S"}) {
        CAPTURE(python, numpy);
        REQUIRE(
            run(std::format("{} '{}/clients/python/read_ticks.py' --file '{}' --metadata > '{}'",
                            python, TICKD_SOURCE_DIR, file.string(), out.string())) == 0);
        CHECK((text_of(out) == csv_of(ticks)));
    }
    REQUIRE(run(std::format(
                "python3 '{}/clients/python/read_ticks.py' --file '{}' --symbol '{}' > '{}'",
                TICKD_SOURCE_DIR, file.string(), ticks[0].symbol, out.string())) == 0);
    CHECK(text_of(out).starts_with(ingest::to_rfc3339(ticks[0].time_us)));
}

TEST_CASE("the reader in Python refuses what is cut") {
    const temporary_folder folder;
    const auto file = folder.path / "segments.bin";
    std::mt19937_64 random(3);
    ingest::segment_encoder encoder;
    auto segments = tickd::test::into_segments(encoder, tickd::test::random_stream(random, 50));
    const std::string whole = segments[0].data;
    for (const std::size_t size : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
        segments[0].data = whole.substr(0, size);
        std::ofstream(file, std::ios::binary) << copy_stream(segments);
        CHECK(run(std::format(
                  "python3 '{}/clients/python/read_ticks.py' --file '{}' > /dev/null 2>&1",
                  TICKD_SOURCE_DIR, file.string())) != 0);
    }
}
