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

// `count` ticks of one symbol, a second apart. The symbol must live as long as they.
std::vector<segment_tick> run_of(std::string_view symbol, std::size_t count) {
    std::vector<segment_tick> run(count);
    for (std::size_t i = 0; i < count; ++i) {
        run[i] = {.time_us = static_cast<std::int64_t>(i) * 1'000'000,
                  .bid = 10'000,
                  .ask = 10'002,
                  .mid = 10'001,
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
    segment_packer packer(ingest::level_of_batch);
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
    segment_packer packer(ingest::level_of_batch);
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
