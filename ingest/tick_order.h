// The ticks of a batch in the order the table wants: by (tenant, symbol, time, arrival).
//
// Symbols are few and ticks of one come nearly in order of time, so ticks are not compared but
// dealt: each distinct (tenant, symbol) gets a pile, the piles are put in order, and every tick
// goes to the next place of its pile. Late ticks alone are sorted, and merged in. ARCHITECTURE.md
// has what it gains.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/block.h"

namespace ingest {

struct tick_place {
    std::uint64_t symbol_prefix;  // the symbol's first eight bytes, big-endian, zero-padded
    std::int64_t time_us;
    const block* in;
    std::uint32_t row;
    std::uint32_t arrival;  // position in the batch before sorting
};

// No tenant (null) sorts first.
[[nodiscard]] std::strong_ordering compare_tenants(const uuid* a, const uuid* b) noexcept;

class tick_order {
public:
    // Puts the ticks of `blocks` in order, less those that the server has refused. The blocks stay
    // as they are until the places are used no more.
    void arrange(std::span<const std::unique_ptr<block>> blocks);
    void clear() noexcept { place_count_ = 0; }

    [[nodiscard]] std::span<const tick_place> places() const noexcept {
        return {places_.get(), place_count_};
    }

private:
    // All ticks of one symbol of one tenant.
    struct pile {
        std::uint64_t symbol_prefix;
        const uuid* tenant;
        std::string_view symbol;  // lies in a block
        std::int64_t newest_us;
        std::uint32_t begin;
        std::uint32_t end;  // counts the pile's ticks, then moves from begin to the next pile's
        bool has_late;
    };
    struct arrival {
        std::int64_t time_us;
        std::uint32_t pile;
        std::uint16_t block;
        std::uint16_t row;
    };

    void make_room(std::span<const std::unique_ptr<block>> blocks);
    [[nodiscard]] bool sort_into_piles(std::span<const std::unique_ptr<block>> blocks);
    [[nodiscard]] bool find_pile(const uuid* tenant, std::string_view symbol, std::uint32_t& found);
    void lay_out_piles();
    void deal(std::span<const std::unique_ptr<block>> blocks);
    void merge_late(std::span<tick_place> of_pile);
    void sort_by_comparing(std::span<const std::unique_ptr<block>> blocks);

    std::unique_ptr<tick_place[]> places_;
    std::unique_ptr<arrival[]> arrivals_;
    std::size_t room_ = 0;
    std::size_t place_count_ = 0;
    std::vector<std::uint32_t> slots_;  // a hash table: 1 + index of the pile, 0 when free
    std::vector<pile> piles_;
    std::vector<std::uint32_t> sorted_piles_;
    std::vector<tick_place> late_;
};

}  // namespace ingest
