#include "ingest/segment_decoder.h"

#include <algorithm>
#include <array>

#include "ingest/segment_slots.h"

namespace ingest {

namespace {

// Sums of two of them still fit 64 bits; 46 billion in prices.
constexpr int128 narrow_limit = int128{1} << 62;

struct bounds {
    int128 lowest, highest;
    [[nodiscard]] bool narrow() const noexcept {
        return lowest > -narrow_limit && highest < narrow_limit;
    }
    [[nodiscard]] bounds operator+(const bounds& other) const noexcept {
        return {lowest + other.lowest, highest + other.highest};
    }
};
constexpr bounds no_bounds{-narrow_limit, narrow_limit};

// What a column can hold, judged by its descriptor alone.
[[nodiscard]] bounds bounds_of(column_kind kind, std::uint8_t width, std::uint8_t exponent,
                               int128 base, std::int64_t step, std::uint32_t ticks) noexcept {
    if (width > 8 || exponent > 18 || base <= -narrow_limit || base >= narrow_limit) {
        return no_bounds;
    }
    const uint128 slot_max = ((uint128{1} << (8 * width)) - 1);
    const auto apart_max = static_cast<int128>(slot_max * powers_of_ten[exponent]);
    if (kind == column_kind::offsets) return {base, base + apart_max};
    if (apart_max >= narrow_limit) return no_bounds;
    const int128 steps = ticks - 1;
    return {base + std::min<int128>(0, step * steps),
            base + std::max<int128>(0, (step + apart_max) * steps)};
}

[[nodiscard]] bool within(const std::vector<int128>& values, int128 lowest, int128 limit) {
    return std::ranges::all_of(values, [=](int128 v) { return v >= lowest && v < limit; });
}

void append_wide(const std::vector<int128>& values, decimal_column& into) {
    for (const int128 value : values) into.push_back(value);
}

// Offsets or steps, to `out`.
void unpack(column_kind kind, std::uint8_t width, std::uint8_t exponent, int128 base_wide,
            std::int64_t step_signed, const char* slots, std::size_t ticks, std::int64_t* out) {
    const auto base = static_cast<std::uint64_t>(base_wide);
    const auto step = static_cast<std::uint64_t>(step_signed);
    with_products(width, slots, static_cast<std::uint64_t>(powers_of_ten[exponent]),
                  [=](auto product) {
                      if (kind == column_kind::offsets) {
                          for (std::size_t i = 0; i < ticks; ++i) {
                              out[i] = static_cast<std::int64_t>(base + product(i));
                          }
                          return;
                      }
                      std::uint64_t value = base;
                      out[0] = static_cast<std::int64_t>(value);
                      for (std::size_t i = 1; i < ticks; ++i) {
                          value += step + product(i);
                          out[i] = static_cast<std::int64_t>(value);
                      }
                  });
}

void add_to(std::int64_t* out, const std::int64_t* reference, std::size_t ticks) {
    for (std::size_t i = 0; i < ticks; ++i) out[i] += reference[i];
}

// mid_of, in 64 bits. `positive`: no sum of a bid and an ask is below zero.
void put_mids(const std::int64_t* bid, const std::int64_t* ask, bool positive, std::size_t ticks,
              std::int64_t* out) {
    if (positive) {
        for (std::size_t i = 0; i < ticks; ++i) {
            out[i] =
                static_cast<std::int64_t>(static_cast<std::uint64_t>(bid[i] + ask[i] + 1) >> 1);
        }
        return;
    }
    for (std::size_t i = 0; i < ticks; ++i) {
        const std::int64_t sum = bid[i] + ask[i];
        out[i] = (sum >= 0 ? sum + 1 : sum - 1) / 2;
    }
}

[[nodiscard]] bool bit(const char* bits, std::size_t i) noexcept {
    return (std::uint32_t{static_cast<unsigned char>(bits[i / 8])} >> (i % 8) & 1U) != 0;
}

}  // namespace

// In 128 bits, checked at every step. False: beyond them.
bool segment_decoder::unpack_wide(const numbers& of, std::vector<int128>& values) const {
    values.resize(is_.ticks);
    bool fits = true;
    with_slots(of.width, of.slots, [&](auto slot) {
        int128 previous = of.base;
        for (std::size_t i = 0; i < is_.ticks; ++i) {
            int128 apart = 0;
            fits &= !__builtin_mul_overflow(uint128{slot(i)}, powers_of_ten[of.exponent], &apart);
            const bool steps = of.kind == column_kind::steps;
            if (steps && i > 0) fits &= !__builtin_add_overflow(apart, of.step, &apart);
            const int128 from = steps ? previous : of.base;
            fits &= !__builtin_add_overflow(from, apart, &previous);
            values[i] = previous;
        }
    });
    return fits;
}

void segment_decoder::append_times(tick_columns& into) const {
    const numbers& of = is_.time;
    const std::size_t old_size = into.size();
    into.time_us.resize(old_size + is_.ticks);
    unpack(of.kind, of.width, of.exponent, of.base, of.step, of.slots, is_.ticks,
           into.time_us.data() + old_size);
}

// False: out of range, and nothing is appended.
bool segment_decoder::append_prices(tick_columns& into) {
    const auto limits_of = [&](const numbers& of) {
        return bounds_of(of.kind, of.width, of.exponent, of.base, of.step, is_.ticks);
    };
    const auto referred = [](const numbers& of) { return (of.flags & flag_from_reference) != 0; };
    const bounds bid = limits_of(is_.bid);
    const bounds ask = referred(is_.ask) ? limits_of(is_.ask) + bid : limits_of(is_.ask);
    const bounds rest = limits_of(is_.mid);
    // A mid lies between bid and ask, so half their sum is no further out than the two together.
    const bounds mid = referred(is_.mid) ? bounds{rest.lowest + std::min(bid.lowest, ask.lowest),
                                                  rest.highest + std::max(bid.highest, ask.highest)}
                                         : rest;
    const bool narrow = bid.narrow() && ask.narrow() && mid.narrow() && rest.narrow() &&
                        !into.bid.is_wide && !into.ask.is_wide && !into.mid.is_wide;
    const std::size_t ticks = is_.ticks;
    if (!narrow) {
        if (!unpack_wide(is_.bid, wide_bid_) || !unpack_wide(is_.ask, wide_ask_) ||
            !unpack_wide(is_.mid, wide_mid_) || !within(wide_bid_, 1 - price_limit, price_limit)) {
            return false;
        }
        // Values beyond these would overflow when they are added up.
        constexpr int128 apart_limit = 4 * price_limit;
        if (!within(wide_ask_, -apart_limit, apart_limit) ||
            !within(wide_mid_, -apart_limit, apart_limit)) {
            return false;
        }
        for (std::size_t i = 0; i < ticks; ++i) {
            if (referred(is_.ask)) wide_ask_[i] += wide_bid_[i];
            if (referred(is_.mid)) wide_mid_[i] += mid_of(wide_bid_[i], wide_ask_[i]);
        }
        if (!within(wide_ask_, 1 - price_limit, price_limit) ||
            !within(wide_mid_, 1 - price_limit, price_limit)) {
            return false;
        }
        append_wide(wide_bid_, into.bid);
        append_wide(wide_ask_, into.ask);
        append_wide(wide_mid_, into.mid);
        return true;
    }
    const std::size_t old_size = into.bid.size();
    const auto unpack_to = [&](const numbers& of, decimal_column& column) {
        column.narrow.resize(old_size + ticks);
        std::int64_t* const out = column.narrow.data() + old_size;
        unpack(of.kind, of.width, of.exponent, of.base, of.step, of.slots, ticks, out);
        return out;
    };
    const std::int64_t* const bids = unpack_to(is_.bid, into.bid);
    std::int64_t* const asks = unpack_to(is_.ask, into.ask);
    if (referred(is_.ask)) add_to(asks, bids, ticks);
    if (!referred(is_.mid)) {
        unpack_to(is_.mid, into.mid);
        return true;
    }
    const bool positive = bid.lowest + ask.lowest >= 0;
    const bool derived = is_.mid.width == 0 && is_.mid.base == 0 && is_.mid.step == 0;
    if (derived) {
        into.mid.narrow.resize(old_size + ticks);
        put_mids(bids, asks, positive, ticks, into.mid.narrow.data() + old_size);
        return true;
    }
    std::int64_t* const mids = unpack_to(is_.mid, into.mid);
    for (std::size_t i = 0; i < ticks; ++i) {
        const std::int64_t sum = bids[i] + asks[i];
        mids[i] += (sum >= 0 ? sum + 1 : sum - 1) / 2;
    }
    return true;
}

// Before anything else is appended. False: out of range, and nothing is appended.
bool segment_decoder::append_volumes(tick_columns& into) {
    const std::size_t old_size = into.size(), ticks = is_.ticks;
    const numbers& of = is_.volume;
    if (of.kind == column_kind::absent) {
        if (into.volume.empty()) return true;
        into.begin_missing_volumes(old_size);
        for (std::size_t i = 0; i < ticks; ++i) into.volume.push_back(0);
        into.no_volume.insert(into.no_volume.end(), ticks, 1);
        return true;
    }
    const bounds can = bounds_of(of.kind, of.width, of.exponent, of.base, of.step, is_.ticks);
    const bool narrow = can.narrow() && can.lowest >= 0 && !into.volume.is_wide;
    if (!narrow && (!unpack_wide(of, wide_bid_) || !within(wide_bid_, 0, volume_limit))) {
        return false;
    }
    into.begin_volumes(old_size);
    if (narrow) {
        into.volume.narrow.resize(old_size + ticks);
        unpack(of.kind, of.width, of.exponent, of.base, of.step, of.slots, ticks,
               into.volume.narrow.data() + old_size);
    } else {
        append_wide(wide_bid_, into.volume);
    }
    if ((of.flags & flag_bitmap) == 0) {
        if (!into.no_volume.empty()) into.no_volume.insert(into.no_volume.end(), ticks, 0);
        return true;
    }
    into.begin_missing_volumes(old_size);
    for (std::size_t i = 0; i < ticks; ++i) {
        const bool has = bit(is_.volume_bits, i);
        into.no_volume.push_back(has ? 0 : 1);
        if (has) continue;
        if (into.volume.is_wide)
            into.volume.wide[old_size + i] = 0;
        else
            into.volume.narrow[old_size + i] = 0;
    }
    return true;
}

void segment_decoder::append_texts(const texts& of, std::size_t old_size, text_column& into) {
    if (of.width == 0) {
        const std::uint32_t number =
            of.entries.empty() ? text_column::none : into.number_of(of.entries[0]);
        into.append(old_size, is_.ticks, number);
        return;
    }
    text_numbers_.clear();
    for (const std::string_view entry : of.entries) text_numbers_.push_back(into.number_of(entry));
    text_numbers_.push_back(text_column::none);
    with_slots(of.width, of.slots, [&](auto slot) {
        for (std::size_t i = 0; i < is_.ticks; ++i) {
            into.append(old_size + i, 1, text_numbers_[static_cast<std::size_t>(slot(i))]);
        }
    });
}

std::optional<segment_error> segment_decoder::append_all(tick_columns& into) {
    const std::size_t old_size = into.size();
    const std::size_t old_volumes = into.volume.size();
    static_cast<void>(old_volumes);
    if (!append_prices(into)) return segment_error::out_of_range;
    if (!append_volumes(into)) {
        for (decimal_column* each : {&into.bid, &into.ask, &into.mid}) each->resize(old_size);
        return segment_error::out_of_range;
    }
    append_texts(is_.symbol, old_size, into.symbol);
    append_texts(is_.source, old_size, into.source);
    append_times(into);
    return std::nullopt;
}

std::expected<std::uint32_t, segment_error> segment_decoder::append_parsed(
    const segment_filter& wanted, tick_columns& into, bool with_metadata) {
    const auto add_metadata = [&](tick_columns& to) {
        if (!with_metadata) return;
        for (const std::string_view each : metadata_) to.metadata.push_back(each);
    };
    const auto first_us = static_cast<std::int64_t>(is_.time.base);
    if (is_.last_time_us < wanted.from_us || first_us >= wanted.to_us) return 0;
    bool all_symbols = !wanted.symbol;
    if (wanted.symbol) {
        if (std::ranges::find(is_.symbol.entries, *wanted.symbol) == is_.symbol.entries.end()) {
            return 0;
        }
        all_symbols = is_.symbol.entries.size() == 1;
    }
    if (all_symbols && first_us >= wanted.from_us && is_.last_time_us < wanted.to_us) {
        if (const auto error = append_all(into)) return std::unexpected(*error);
        add_metadata(into);
        return is_.ticks;
    }
    cut_.clear();
    if (const auto error = append_all(cut_)) return std::unexpected(*error);
    add_metadata(cut_);
    std::uint32_t appended = 0;
    for (std::size_t i = 0; i < cut_.size(); ++i) {
        if (cut_.time_us[i] < wanted.from_us || cut_.time_us[i] >= wanted.to_us) continue;
        if (wanted.symbol && cut_.symbol[i] != *wanted.symbol) continue;
        into.append_tick(cut_, i);
        ++appended;
    }
    return appended;
}

std::expected<std::uint32_t, segment_error> segment_decoder::append(std::string_view data,
                                                                    const segment_filter& wanted,
                                                                    tick_columns& into) {
    if (const auto error = parse(data)) return std::unexpected(*error);
    return append_parsed(wanted, into, false);
}

std::expected<std::uint32_t, segment_error> segment_decoder::append_with_metadata(
    std::string_view data, std::string_view metadata, const segment_filter& wanted,
    tick_columns& into) {
    if (const auto error = parse(data)) return std::unexpected(*error);
    if (const auto error = split_metadata(metadata)) return std::unexpected(*error);
    return append_parsed(wanted, into, true);
}

}  // namespace ingest
