// The example in docs/segments.md: its bytes are what the encoder makes, and its table is what the
// decoder reads from them.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ingest/decimal.h"
#include "ingest/timestamp.h"
#include "tests/support/segment_streams.h"

using tickd::test::stream_tick;

namespace {

std::string page() {
    std::ifstream in(TICKD_SOURCE_DIR "/docs/segments.md");
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> lines_between(const std::string& text, std::string_view begin,
                                       std::string_view end) {
    std::size_t at = text.find(begin);
    REQUIRE(at != std::string::npos);
    at += begin.size();
    const std::size_t stop = text.find(end, at);
    REQUIRE(stop != std::string::npos);
    std::vector<std::string> lines;
    while (at < stop) {
        const std::size_t newline = text.find('\n', at);
        lines.push_back(text.substr(at, newline - at));
        at = newline + 1;
    }
    return lines;
}

// The bytes of a block of the page: hexadecimal digits up to two spaces, where the words begin.
std::string bytes_of(const std::vector<std::string>& lines) {
    std::string digits;
    for (const std::string& line : lines) {
        for (const char c : line.substr(0, line.find("  "))) {
            if (c != ' ') digits += c;
        }
    }
    REQUIRE(digits.size() % 2 == 0);
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

std::string cell(const std::string& row, std::size_t index) {
    std::size_t at = 0;
    for (std::size_t i = 0; i <= index; ++i) at = row.find('|', at) + 1;
    std::string text = row.substr(at, row.find('|', at) - at);
    text.erase(0, text.find_first_not_of(' '));
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace

TEST_CASE("the example of docs/segments.md is a segment of its ticks") {
    const std::string text = page();
    const std::string data = bytes_of(lines_between(text, "`data`:\n\n```\n", "```\n\n`metadata`"));
    const std::string metadata = bytes_of(lines_between(text, "\n`metadata`:\n\n```\n", "```"));
    std::vector<stream_tick> ticks;
    for (const std::string& row : lines_between(
             text, "| time | bid | ask | mid | volume | metadata |\n|---|---|---|---|---|---|\n",
             "\n`data`")) {
        if (row.empty()) continue;
        const auto price = [&](std::size_t index) {
            return ingest::parse_decimal(cell(row, index), ingest::excess_digits::reject,
                                         ingest::price_limit)
                .value;
        };
        stream_tick tick{.time_us = ingest::parse_rfc3339(cell(row, 0)).unix_us,
                         .bid = price(1),
                         .ask = price(2),
                         .mid = price(3),
                         .volume = std::nullopt,
                         .symbol = "EURUSD",
                         .source = "fxcm",
                         .metadata = std::nullopt};
        if (!cell(row, 4).empty()) tick.volume = price(4);
        if (!cell(row, 5).empty()) tick.metadata = cell(row, 5);
        ticks.push_back(tick);
    }
    REQUIRE(ticks.size() == 3);

    const auto columns = tickd::test::decoded(
        {{.header = {}, .symbol = {}, .data = data, .metadata = metadata}}, true);
    REQUIRE(columns.size() == ticks.size());
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        CHECK(describe(tickd::test::tick_of(columns, i)) == describe(ticks[i]));
    }
    ingest::segment_encoder encoder;
    const auto segments = tickd::test::into_segments(encoder, ticks);
    REQUIRE(segments.size() == 1);
    CHECK(segments[0].data == data);
    CHECK(segments[0].metadata == metadata);
}
