#include "ingest/frame_buffer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "ingest/record_parser.h"

using ingest::frame;
using ingest::frame_buffer;

namespace {

struct seen {
    std::string line;
    std::uint64_t length;
    bool too_long;
    bool operator==(const seen&) const = default;
};

// What a stream's lines are, said as plainly as possible.
std::vector<seen> split(std::string_view stream, std::size_t line_bytes_max) {
    std::vector<seen> lines;
    while (!stream.empty()) {
        const std::size_t end = std::min(stream.find('\n'), stream.size());
        std::string_view line = stream.substr(0, end);
        stream.remove_prefix(std::min(end + 1, stream.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const bool too_long = line.size() > line_bytes_max;
        lines.push_back(
            {std::string(too_long ? line.substr(0, 4096) : line), line.size(), too_long});
    }
    return lines;
}

// Feeds the stream in reads of the sizes that `next_size` gives.
template <typename Sizes>
std::vector<seen> read_all(std::string_view stream, std::size_t line_bytes_max, Sizes next_size) {
    frame_buffer buffer(line_bytes_max);
    std::vector<seen> lines;
    const auto keep = [&lines](const frame& f) {
        lines.push_back({std::string(f.line), f.length, f.too_long});
    };
    while (!stream.empty()) {
        const std::span<char> room = buffer.room();
        REQUIRE_FALSE(room.empty());
        REQUIRE(room.size() <= ingest::limits::read_bytes);
        const std::size_t bytes = std::min({next_size(), room.size(), stream.size()});
        std::ranges::copy(stream.substr(0, bytes), room.begin());
        buffer.received(bytes);
        stream.remove_prefix(bytes);
        // Frames stay good until the next room(): they are looked at only when all are there.
        std::vector<frame> frames;
        while (const auto f = buffer.next()) frames.push_back(*f);
        std::ranges::for_each(frames, keep);
    }
    if (const auto f = buffer.finish()) keep(*f);
    REQUIRE_FALSE(buffer.next());
    REQUIRE(buffer.pending_bytes() == 0);
    return lines;
}

std::vector<seen> read_by(std::string_view stream, std::size_t line_bytes_max, std::size_t size) {
    return read_all(stream, line_bytes_max, [size] { return size; });
}

}  // namespace

TEST_CASE("lines end at a newline, with or without a carriage return") {
    const std::string_view stream = "a\nbc\r\n\n\r\n\r\nd\re\n\nlast";
    const std::vector<seen> expected = {
        {"a", 1, false}, {"bc", 2, false}, {"d\re", 3, false}, {"last", 4, false}};
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        CHECK(read_by(stream, 100, size) == expected);
    }
}

TEST_CASE("bytes of any value lie inside a line") {
    std::string stream;
    for (int c = 0; c < 256; ++c) {
        if (c != '\n') stream.push_back(static_cast<char>(c));
    }
    const std::string line = stream;
    stream += '\n';
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, stream.size()}) {
        CHECK(read_by(stream, 1000, size) == std::vector<seen>{{line, line.size(), false}});
    }
}

TEST_CASE("a stream that ends with a newline has nothing left") {
    frame_buffer buffer;
    const std::span<char> room = buffer.room();
    room[0] = 'x';
    room[1] = '\n';
    buffer.received(2);
    REQUIRE(buffer.next()->line == "x");
    REQUIRE_FALSE(buffer.next());
    REQUIRE_FALSE(buffer.finish());

    buffer.room()[0] = '\r';
    buffer.received(1);
    REQUIRE_FALSE(buffer.next());
    REQUIRE_FALSE(buffer.finish());
}

TEST_CASE("the limit is exact, however the line arrives") {
    for (const std::size_t limit : {1U, 2U, 16U, 4095U, 4096U, 4097U, 5000U}) {
        for (const std::size_t length : {limit - 1, limit, limit + 1, limit + 2, 3 * limit}) {
            for (const std::string_view end : {"\n", "\r\n", "", "\r"}) {
                const std::string stream = "a\n" + std::string(length, 'x') + std::string(end) +
                                           std::string(end.ends_with('\n') ? "b\n" : "");
                const std::vector<seen> expected = split(stream, limit);
                for (const std::size_t size : {std::size_t{1}, std::size_t{2}, limit, limit + 1,
                                               limit + 2, limit + 3, std::size_t{100'000}}) {
                    INFO("limit " << limit << " length " << length << " read " << size);
                    REQUIRE(read_by(stream, limit, size) == expected);
                }
            }
        }
    }
}

TEST_CASE("a line of 2 MiB is skipped and costs its neighbours nothing") {
    const std::string stream = "before\n" + std::string(2 * 1024 * 1024, 'y') + "\r\nafter\n";
    for (const std::size_t size : {std::size_t{1000}, std::size_t{65'536}, stream.size()}) {
        const std::vector<seen> lines = read_by(stream, ingest::limits::line_bytes_default, size);
        REQUIRE(lines.size() == 3);
        CHECK(lines[0] == seen{"before", 6, false});
        CHECK(lines[1] == seen{std::string(4096, 'y'), 2 * 1024 * 1024, true});
        CHECK(lines[2] == seen{"after", 5, false});
    }
}

TEST_CASE("the longest line allowed fits, also beside another") {
    const std::size_t limit = ingest::limits::line_bytes_default;
    const std::string stream =
        std::string(limit, 'p') + "\r\n" + std::string(limit, 'q') + "\n" + std::string(limit, 'r');
    CHECK(read_by(stream, limit, 1'000'000) == split(stream, limit));
}

TEST_CASE("any stream in any reads gives the lines of a plain splitter") {
    std::mt19937_64 random(20'240'808);
    const auto below = [&random](std::size_t bound) {
        return static_cast<std::size_t>(random() % bound);
    };
    const std::string_view alphabet("ab\r\n\0\n{", 7);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t limit = 1 + below(round % 10 == 0 ? 9000 : 24);
        std::string stream;
        const std::size_t parts = below(40);
        for (std::size_t part = 0; part < parts; ++part) {
            if (below(4) == 0) {
                stream.append(below(2 * limit + 4), 'z');
            } else {
                stream.push_back(alphabet[below(alphabet.size())]);
            }
        }
        const std::size_t read_max = 1 + below(below(2) == 0 ? 4 : 3 * limit + 1);
        INFO("round " << round << " limit " << limit);
        REQUIRE(read_all(stream, limit, [&] { return 1 + below(read_max); }) ==
                split(stream, limit));
    }
}

TEST_CASE("what follows a line is readable for as far as the parser reads") {
    frame_buffer buffer(ingest::limits::line_bytes_default);
    unsigned sum = 0;
    for (int turn = 0; turn < 3; ++turn) {
        const std::span<char> room = buffer.room();
        std::ranges::fill(room, 'x');
        room.back() = '\n';
        buffer.received(room.size());
        const auto line = buffer.next();
        REQUIRE(line);
        // AddressSanitizer is the judge here.
        for (std::size_t i = 0; i < ingest::line_padding_bytes; ++i) {
            sum += static_cast<unsigned char>(line->line.data()[line->line.size() + i]);
        }
    }
    CHECK(sum > 0);
}

TEST_CASE("a last line without newline has one behind it all the same") {
    frame_buffer buffer;
    const std::span<char> room = buffer.room();
    std::ranges::fill(room, '}');
    buffer.received(room.size());
    REQUIRE_FALSE(buffer.next());
    const auto last = buffer.finish();
    REQUIRE(last);
    CHECK(last->line.size() == room.size());
    CHECK(last->line.data()[last->line.size()] == '\n');
}
