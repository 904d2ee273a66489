// Which ticks share a segment: by hand, and by rule.
#include "ingest/segment_packer.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using ingest::segment_packer;
using ingest::segment_tick;
using ingest::uuid;

namespace {

constexpr std::size_t run_ticks_min = 64;

// What a row of the stream says of its segment.
struct stored {
    std::int64_t first_us, last_us;
    ingest::segment_level level;
    std::uint64_t ticks;
};

// Of a COPY BINARY stream in the order of copy_segments_statement.
std::vector<stored> segments_of(const std::string& stream) {
    std::vector<stored> all;
    std::size_t at = 19;  // behind signature, flags and extension
    const auto number = [&](std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            value = value << 8U | static_cast<std::uint8_t>(stream.at(at++));
        }
        return value;
    };
    constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000;
    for (std::uint64_t fields = 0; (fields = number(2)) != 0xFFFF;) {
        stored next{};
        for (std::uint64_t field = 0; field < fields; ++field) {
            const auto length = static_cast<std::uint32_t>(number(4));
            if (length == UINT32_MAX) continue;
            const std::size_t end = at + length;
            switch (field) {
                case 0:
                    next.first_us = static_cast<std::int64_t>(number(8)) + postgres_epoch_us;
                    break;
                case 1:
                    next.last_us = static_cast<std::int64_t>(number(8)) + postgres_epoch_us;
                    break;
                case 4: next.level = static_cast<ingest::segment_level>(number(2)); break;
                case 5: next.ticks = number(4); break;
                default: break;
            }
            at = end;
        }
        all.push_back(next);
    }
    return all;
}

// `count` ticks of one symbol, a second apart. The symbol must live as long as they.
std::vector<segment_tick> run_of(std::string_view symbol, std::size_t count) {
    std::vector<segment_tick> run(count);
    for (std::size_t i = 0; i < count; ++i) {
        run[i] = {.time_us = static_cast<std::int64_t>(i) * 1'000'000,
                  .bid = 10'000 + static_cast<int>(i * 7919 % 1009),
                  .ask = 10'002 + static_cast<int>(i * 7919 % 1009 + i * 31 % 17),
                  .mid = 10'001 + static_cast<int>(i * 7919 % 1009),
                  .volume = {},
                  .symbol = symbol,
                  .source = {},
                  .metadata = {}};
    }
    return run;
}

struct packed {
    std::string stream;
    std::size_t segments;
};

packed pack(const std::vector<std::pair<const uuid*, std::vector<segment_tick>>>& runs) {
    segment_packer packer(ingest::packing::batch);
    packer.begin(run_ticks_min);
    for (const auto& [tenant, run] : runs) packer.add(tenant, run);
    std::string stream(packer.finish());
    return {std::move(stream), packer.segment_count()};
}

}  // namespace

TEST_CASE("a tenant's few ticks share a segment, wherever its name stands") {
    std::vector<std::string> symbols(30);
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = std::format("S{:02}", i);
    // Each run of a batch may come from another block, and points to that block's own copy.
    const std::array<uuid, 2> tenants{uuid{{1}}, uuid{{2}}};
    std::vector<uuid> copies;
    copies.reserve(2 * symbols.size());
    std::vector<std::pair<const uuid*, std::vector<segment_tick>>> one_place, many_places;
    for (const uuid& tenant : tenants) {
        for (const std::string& symbol : symbols) {
            one_place.emplace_back(&tenant, run_of(symbol, 3));
            many_places.emplace_back(&copies.emplace_back(tenant), run_of(symbol, 3));
        }
    }
    CHECK(pack(one_place).segments == 2);
    CHECK(pack(many_places).segments == 2);
    CHECK((pack(many_places).stream == pack(one_place).stream));
}

TEST_CASE("a symbol with enough ticks in a run has segments of its own") {
    CHECK(pack({{nullptr, run_of("A", run_ticks_min)}, {nullptr, run_of("B", run_ticks_min)}})
              .segments == 2);
    CHECK(pack({{nullptr, run_of("A", run_ticks_min - 1)},
                {nullptr, run_of("B", run_ticks_min)},
                {nullptr, run_of("C", run_ticks_min - 1)}})
              .segments == 2);
}

TEST_CASE("ticks without a tenant share no segment with a tenant's") {
    const uuid tenant{{1}};
    CHECK(pack({{nullptr, run_of("A", 3)}, {&tenant, run_of("A", 3)}}).segments == 2);
}

TEST_CASE("what a packer held before does not reach into the next stream") {
    segment_packer packer(ingest::packing::batch);
    const std::vector<segment_tick> run = run_of("A", 3);
    std::vector<std::string> streams;
    for (int i = 0; i < 2; ++i) {
        // Gone when the next stream begins, as a block is.
        const auto tenant = std::make_unique<uuid>(uuid{{7}});
        packer.begin(run_ticks_min);
        packer.add(tenant.get(), run);
        streams.emplace_back(packer.finish());
        CHECK(packer.segment_count() == 1);
    }
    CHECK((streams[0] == streams[1]));
    packer.begin(run_ticks_min);
    CHECK(packer.finish().empty());
}

TEST_CASE("a compaction leaves no small rest of a run that filled segments") {
    // Lengths around one, two and three segments' worth, a step less than half of one.
    std::size_t in_batch = 0, in_compaction = 0;
    for (std::size_t ticks = 500; ticks < 12'000; ticks += 397) {
        const std::vector<segment_tick> run = run_of("A", ticks);
        segment_packer batch(ingest::packing::batch), compaction(ingest::packing::compaction);
        batch.begin(run_ticks_min);
        batch.add(nullptr, run);
        static_cast<void>(batch.finish());
        compaction.begin(run_ticks_min);
        compaction.add(nullptr, run);
        const std::string stream(compaction.finish());
        in_batch += batch.segment_count();
        in_compaction += compaction.segment_count();
        // Sharing takes no more of them.
        CHECK(compaction.segment_count() == batch.segment_count());
        std::vector<stored> all = segments_of(stream);
        REQUIRE(all.size() == compaction.segment_count());
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            sum += all[i].ticks;
            if (all.size() > 1) {
                CHECK(all[i].level == ingest::segment_level::merged);
                CHECK(all[i].ticks * 3 > all[0].ticks);
            }
            if (i != 0) CHECK(all[i].first_us > all[i - 1].last_us);
        }
        CHECK(sum == ticks);
    }
    CHECK(in_batch == in_compaction);
}

TEST_CASE("ticks of the next day begin anew, and their number decides for itself") {
    std::vector<segment_tick> run = run_of("A", 5000);
    constexpr std::int64_t day_us = 86'400'000'000;
    for (std::size_t i = 4990; i < run.size(); ++i) run[i].time_us += day_us;
    segment_packer packer(ingest::packing::compaction);
    packer.begin(run_ticks_min);
    packer.add(nullptr, run);
    const std::vector<stored> all = segments_of(std::string(packer.finish()));
    REQUIRE(all.size() >= 2);
    CHECK(all.back().ticks == 10);
    CHECK(all.back().level == ingest::segment_level::unmerged);
}
