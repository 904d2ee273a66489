#include "ingest/tick_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstring>
#include <limits>
#include <tuple>

namespace ingest {

namespace {

// Beyond these the piles no longer fit a core's cache, or somebody has made symbols collide: then
// ticks are compared after all, which is bounded whatever the symbols are.
constexpr std::size_t piles_max = 32'768;
constexpr int probes_max = 64;

[[nodiscard]] std::uint64_t prefix_of(std::string_view symbol) noexcept {
    std::uint64_t prefix = 0;
    std::memcpy(&prefix, symbol.data(), std::min<std::size_t>(symbol.size(), 8));
    if constexpr (std::endian::native == std::endian::little) prefix = std::byteswap(prefix);
    return prefix;
}

// Equal prefixes that end in a zero byte are those of symbols of at most seven bytes, so equal
// altogether.
[[nodiscard]] bool whole_in_prefix(std::uint64_t prefix) noexcept { return (prefix & 0xffU) == 0; }

[[nodiscard]] std::strong_ordering compare_symbols(std::uint64_t prefix_a, std::string_view a,
                                                   std::uint64_t prefix_b,
                                                   std::string_view b) noexcept {
    if (prefix_a != prefix_b || whole_in_prefix(prefix_a)) return prefix_a <=> prefix_b;
    return a.compare(b) <=> 0;
}

[[nodiscard]] std::uint64_t mixed(std::uint64_t value) noexcept {
    value *= 0x9E37'79B9'7F4A'7C15;
    return value ^ (value >> 29U);
}

[[nodiscard]] std::uint64_t hash_of(const uuid* tenant, std::uint64_t prefix,
                                    std::string_view symbol) noexcept {
    std::uint64_t hash = mixed(prefix);
    for (std::size_t at = 8; at < symbol.size(); at += 8) {
        hash = mixed(hash ^ prefix_of(symbol.substr(at)));
    }
    if (tenant != nullptr) {
        std::array<std::uint64_t, 2> halves{};
        std::memcpy(halves.data(), tenant->bytes.data(), sizeof halves);
        hash = mixed(hash ^ halves[0]) ^ halves[1];
    }
    return mixed(hash);
}

[[nodiscard]] bool same_tenant(const uuid* a, const uuid* b) noexcept {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
}

[[nodiscard]] const tick_row& row_at(const tick_place& at) noexcept {
    return at.in->ticks()[at.row];
}

[[nodiscard]] bool is_earlier(const tick_place& a, const tick_place& b) noexcept {
    return std::tie(a.time_us, a.arrival) < std::tie(b.time_us, b.arrival);
}

}  // namespace

std::strong_ordering compare_tenants(const uuid* a, const uuid* b) noexcept {
    if (a == nullptr || b == nullptr) return (a != nullptr) <=> (b != nullptr);
    return *a <=> *b;
}

void tick_order::arrange(std::span<const std::unique_ptr<block>> blocks) {
    make_room(blocks);
    if (sort_into_piles(blocks)) {
        lay_out_piles();
        deal(blocks);
    } else {
        sort_by_comparing(blocks);
    }
}

void tick_order::make_room(std::span<const std::unique_ptr<block>> blocks) {
    std::size_t rows = 0;
    for (const auto& in : blocks) rows += in->ticks().size();
    if (rows > room_) {
        room_ = std::bit_ceil(rows);
        places_ = std::make_unique_for_overwrite<tick_place[]>(room_);
        arrivals_ = std::make_unique_for_overwrite<arrival[]>(room_);
    }
    slots_.assign(2 * std::bit_ceil(std::clamp(rows, std::size_t{1}, piles_max)), 0);
    piles_.clear();
    place_count_ = 0;
}

// False: there are too many symbols for it.
bool tick_order::sort_into_piles(std::span<const std::unique_ptr<block>> blocks) {
    for (std::size_t number = 0; number < blocks.size(); ++number) {
        const block& in = *blocks[number];
        const auto ticks = in.ticks();
        for (std::uint32_t row = 0; row < ticks.size(); ++row) {
            if (in.tick_refused(row)) continue;
            const tick_row& tick = ticks[row];
            std::uint32_t index = 0;
            if (!find_pile(in.tenant(tick.tenant), in.text(tick.symbol), index)) return false;
            ++piles_[index].end;
            arrivals_[place_count_++] = {.time_us = tick.time_us,
                                         .pile = index,
                                         .block = static_cast<std::uint16_t>(number),
                                         .row = static_cast<std::uint16_t>(row)};
        }
    }
    return true;
}

bool tick_order::find_pile(const uuid* tenant, std::string_view symbol, std::uint32_t& found) {
    const std::uint64_t prefix = prefix_of(symbol);
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_of(tenant, prefix, symbol) & mask;
    for (int probes = 0; probes < probes_max; ++probes, slot = (slot + 1) & mask) {
        if (slots_[slot] == 0) {
            if (piles_.size() == piles_max) return false;
            piles_.push_back({.symbol_prefix = prefix,
                              .tenant = tenant,
                              .symbol = symbol,
                              .newest_us = std::numeric_limits<std::int64_t>::min(),
                              .begin = 0,
                              .end = 0,
                              .has_late = false});
            slots_[slot] = static_cast<std::uint32_t>(piles_.size());
        } else {
            const pile& known = piles_[slots_[slot] - 1];
            if (known.symbol_prefix != prefix || !same_tenant(known.tenant, tenant)) continue;
            if (!whole_in_prefix(prefix) && known.symbol != symbol) continue;
        }
        found = slots_[slot] - 1;
        return true;
    }
    return false;
}

void tick_order::lay_out_piles() {
    sorted_piles_.resize(piles_.size());
    for (std::uint32_t i = 0; i < piles_.size(); ++i) sorted_piles_[i] = i;
    std::ranges::sort(sorted_piles_, [this](std::uint32_t left, std::uint32_t right) {
        const pile& a = piles_[left];
        const pile& b = piles_[right];
        const auto tenants = compare_tenants(a.tenant, b.tenant);
        return tenants != 0
                   ? tenants < 0
                   : compare_symbols(a.symbol_prefix, a.symbol, b.symbol_prefix, b.symbol) < 0;
    });
    std::uint32_t begin = 0;
    for (const std::uint32_t index : sorted_piles_) {
        pile& next = piles_[index];
        const std::uint32_t ticks = next.end;
        next.begin = next.end = begin;
        begin += ticks;
    }
}

void tick_order::deal(std::span<const std::unique_ptr<block>> blocks) {
    for (std::uint32_t i = 0; i < place_count_; ++i) {
        const arrival& from = arrivals_[i];
        pile& to = piles_[from.pile];
        places_[to.end++] = {.symbol_prefix = to.symbol_prefix,
                             .time_us = from.time_us,
                             .in = blocks[from.block].get(),
                             .row = from.row,
                             .arrival = i};
        to.has_late = to.has_late || from.time_us < to.newest_us;
        to.newest_us = std::max(to.newest_us, from.time_us);
    }
    for (const pile& done : piles_) {
        if (done.has_late) merge_late({places_.get() + done.begin, places_.get() + done.end});
    }
}

// Equal times are in order of arrival already. What is no earlier than all before it stays in its
// order; the rest is sorted and merged in from the back.
void tick_order::merge_late(std::span<tick_place> of_pile) {
    late_.clear();
    std::size_t in_order = 0;
    std::int64_t newest_us = of_pile.front().time_us;
    for (const tick_place& next : of_pile) {
        if (next.time_us < newest_us) {
            late_.push_back(next);
        } else {
            newest_us = next.time_us;
            of_pile[in_order++] = next;
        }
    }
    std::ranges::sort(late_, is_earlier);
    std::size_t to = of_pile.size();
    for (std::size_t late = late_.size(); late != 0;) {
        const bool take_late = in_order == 0 || !is_earlier(late_[late - 1], of_pile[in_order - 1]);
        of_pile[--to] = take_late ? late_[--late] : of_pile[--in_order];
    }
}

void tick_order::sort_by_comparing(std::span<const std::unique_ptr<block>> blocks) {
    place_count_ = 0;
    for (const auto& in : blocks) {
        const auto ticks = in->ticks();
        for (std::uint32_t row = 0; row < ticks.size(); ++row) {
            if (in->tick_refused(row)) continue;
            places_[place_count_] = {.symbol_prefix = prefix_of(in->text(ticks[row].symbol)),
                                     .time_us = ticks[row].time_us,
                                     .in = in.get(),
                                     .row = row,
                                     .arrival = static_cast<std::uint32_t>(place_count_)};
            ++place_count_;
        }
    }
    std::sort(places_.get(), places_.get() + place_count_,
              [](const tick_place& a, const tick_place& b) {
                  const tick_row& left = row_at(a);
                  const tick_row& right = row_at(b);
                  const auto tenants =
                      compare_tenants(a.in->tenant(left.tenant), b.in->tenant(right.tenant));
                  if (tenants != 0) return tenants < 0;
                  const auto symbols = compare_symbols(a.symbol_prefix, a.in->text(left.symbol),
                                                       b.symbol_prefix, b.in->text(right.symbol));
                  return symbols != 0 ? symbols < 0 : is_earlier(a, b);
              });
}

}  // namespace ingest
