#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ingest/row_check.h"
#include "bench/ingest/tick_workload.h"
#include "bench/load/tick_generator.h"
#include "tests/support/parse_line.h"

namespace {

using namespace bench;

std::vector<std::string> lines_of(const tick_mix& mix, int count) {
    tick_generator generator(mix);
    std::vector<std::string> lines(static_cast<std::size_t>(count));
    for (std::string& line : lines) generator.append_line(line);
    return lines;
}

TEST_CASE("made-up ticks are the same for the same seed", "[bench]") {
    const tick_mix mix{.symbols = 50, .metadata = true, .late_part = 0.1};
    const auto lines = lines_of(mix, 2000);
    CHECK(lines == lines_of(mix, 2000));
    CHECK(lines != lines_of({.symbols = 50, .metadata = true, .late_part = 0.1, .seed = 2}, 2000));
}

TEST_CASE("made-up ticks are what their mix says", "[bench]") {
    for (const bool metadata : {false, true}) {
        tickd_test::line_parser parser;
        std::set<std::string> symbols;
        std::int64_t newest_us = 0;
        int late = 0;
        const auto lines = lines_of({.symbols = 50, .metadata = metadata, .late_part = 0.1}, 2000);
        for (const std::string& line : lines) {
            const auto tick = parser.parse(std::string_view(line).substr(0, line.size() - 1));
            REQUIRE(tick.is(ingest::verdict::accepted));
            CHECK(tick.out.bid > 0);
            CHECK(tick.out.ask > tick.out.bid);
            CHECK(tick.out.volume.value_or(0) > 0);
            CHECK(ingest::present(tick.out.metadata) == metadata);
            symbols.emplace(tick.out.symbol);
            if (tick.out.time_us < newest_us) ++late;
            newest_us = std::max(newest_us, tick.out.time_us);
        }
        CHECK(symbols.size() == 50);
        CHECK(newest_us == bench::tick_mix{}.begin_us + 1999 * 100);
        CHECK(late > 150);  // 200 are expected
        CHECK(late < 250);
    }
}

TEST_CASE("recordings and made-up ticks are numbered without a gap", "[bench]") {
    const auto all = tick_workloads();
    CHECK(std::ranges::contains(all, headline_workload, &tick_workload::name));
    std::set<std::string> names;
    for (const tick_workload& each : all) {
        CAPTURE(each.name);
        CHECK(names.insert(each.name).second);
        std::uint64_t seq = 0;
        each_line(each, 1000, [&](std::string_view line) {
            const std::string begin = "{\"seq\":" + std::to_string(++seq) + ",";
            if (!line.starts_with(begin) || !line.ends_with("}\n")) FAIL(line);
        });
        CHECK(seq == 1000);
    }
}

TEST_CASE("rows of a table are lost, doubled, changed or as loaded", "[bench]") {
    row_hashes loaded, found;
    for (const auto* row : {"a", "b", "b", "c", "d"}) loaded.add(row);
    for (const auto* row : {"c", "b", "a", "b"}) found.add(row);
    CHECK(loaded.compare(4, found).none());
    CHECK(loaded.compare(5, found).lost == 1);

    found.add("c");
    found.add("never loaded");
    const row_difference difference = loaded.compare(5, found);
    CHECK(difference.lost == 1);
    CHECK(difference.doubled == 1);
    CHECK(difference.changed == 1);
    CHECK_FALSE(difference.none());
    CHECK(loaded.compare(5, {}).lost == 5);
}

}  // namespace
