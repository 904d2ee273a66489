// Segments overlap where ticks came late or from several sources: their columns in order of time.
#include <algorithm>
#include <numeric>

#include "ingest/tick_columns.h"

namespace ingest {

namespace {

// The rows' new order from `begin` on; before it nothing moves.
struct new_order {
    std::size_t begin;
    std::vector<std::uint32_t> from;

    template <typename T, typename Allocator>
    void apply(std::vector<T, Allocator>& column) const {
        if (column.empty()) return;
        std::vector<T, Allocator> moved(from.size());
        for (std::size_t i = 0; i < from.size(); ++i) moved[i] = column[from[i]];
        std::ranges::copy(moved, column.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    void apply(decimal_column& column) const {
        apply(column.narrow);
        apply(column.wide);
    }
    void apply(metadata_column& column) const {
        if (column.ends.empty()) return;
        metadata_column moved;
        for (std::size_t i = 0; i < begin; ++i) moved.push_back(column[i]);
        for (const std::uint32_t i : from) moved.push_back(column[i]);
        column = std::move(moved);
    }
};

}  // namespace

void tick_columns::sort_by_time() {
    std::vector<std::size_t> breaks;  // where runs that are in order begin
    for (std::size_t i = 1; i < size(); ++i) {
        if (time_us[i] < time_us[i - 1]) breaks.push_back(i);
    }
    if (breaks.empty()) return;
    // What the first run has up to the earliest of all later times stays where it is. Late and
    // fresh ticks mostly belong near the end, so that this is nearly everything.
    const auto first_run_end = time_us.begin() + static_cast<std::ptrdiff_t>(breaks[0]);
    const std::int64_t earliest_us = *std::min_element(first_run_end, time_us.end());
    const auto kept = static_cast<std::size_t>(
        std::upper_bound(time_us.begin(), first_run_end, earliest_us) - time_us.begin());

    std::vector<std::uint32_t> rows(size() - kept);
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(kept));
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) { return time_us[a] < time_us[b]; };
    const auto at = [&](std::size_t i) {
        return rows.begin() + static_cast<std::ptrdiff_t>(i - kept);
    };
    // Merging a run moves only what it overlaps, but sorting is faster than merging many.
    constexpr std::size_t merges_max = 16;
    if (breaks.size() > merges_max) {
        std::ranges::stable_sort(rows, earlier);
    } else {
        breaks.push_back(size());
        for (std::size_t i = 0; i + 1 < breaks.size(); ++i) {
            const auto begin = at(breaks[i]);
            const auto overlapped = std::upper_bound(rows.begin(), begin, *begin, earlier);
            std::inplace_merge(overlapped, begin, at(breaks[i + 1]), earlier);
        }
    }
    const new_order order{.begin = kept, .from = std::move(rows)};
    for (decimal_column* each : {&bid, &ask, &mid, &volume}) order.apply(*each);
    order.apply(no_volume);
    order.apply(symbol.index);
    order.apply(source.index);
    order.apply(metadata);
    order.apply(time_us);
}

}  // namespace ingest
