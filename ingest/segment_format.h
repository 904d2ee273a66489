// A segment: up to 4,096 ticks of one tenant, in order of time, of one symbol or of several
// (*mixed*), packed column by column into bytes that one loop a column takes apart. What the bytes
// mean is docs/segments.md; this is what writer and reader share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "ingest/decimal.h"
#include "ingest/limits.h"
#include "ingest/record.h"

namespace ingest {

inline constexpr std::uint8_t segment_version = 1;
inline constexpr std::uint8_t segment_metadata_version = 1;

// Which of the ticks have a thing.
enum class presence : std::uint8_t { none = 0, all = 1, some = 2 };  // some: a bitmap says which

// How a column of numbers is held. A slot is an unsigned integer of the column's width; without
// width every slot is 0.
enum class column_kind : std::uint8_t {
    absent = 0,   // no tick has the value
    offsets = 1,  // value = base + 10^exponent * slot
    steps = 2,    // the first value is base; value = the one before + step + 10^exponent * slot
};

// Of a column of numbers.
inline constexpr std::uint8_t flag_from_reference = 1;  // add bid (for ask), mid_of (for mid)
inline constexpr std::uint8_t flag_bitmap = 2;          // volume: some ticks have none

// version, metadata's presence, tick count; then the descriptors of time, bid, ask, mid, volume,
// symbol and source.
inline constexpr std::size_t segment_prefix_bytes = 4;
inline constexpr std::size_t number_descriptor_bytes = 28;
inline constexpr std::size_t text_descriptor_bytes = 4;
inline constexpr std::size_t segment_head_bytes =
    segment_prefix_bytes + 5 * number_descriptor_bytes + 2 * text_descriptor_bytes;

inline constexpr int exponent_max = 38;  // 10^38 is the largest power that 128 bits hold

static_assert(std::endian::native == std::endian::little, "the byte order of a segment is ours");

// So a segment's sums never overflow.
static_assert(volume_limit < (int128{1} << 126) / limits::segment_ticks_max);

namespace detail {

consteval std::array<uint128, exponent_max + 1> powers_of_ten() {
    std::array<uint128, exponent_max + 1> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}

}  // namespace detail

inline constexpr auto powers_of_ten = detail::powers_of_ten();

// A tick as the encoder takes it.
struct segment_tick {
    std::int64_t time_us = 0;          // since 1970
    int128 bid = 0, ask = 0, mid = 0;  // units of 10^-8, within price_limit
    std::optional<int128> volume{};    // units of 10^-8, 0 to below volume_limit
    std::string_view symbol{};         // 1 to 20 characters
    optional_text source{};            // up to 50 characters
    optional_text metadata{};          // jsonb's text; not empty when present
};

// What a segment's row says about it beside its bytes. Prices and volumes in units of 10^-8.
struct segment_header {
    std::uint32_t tick_count = 0, volume_count = 0;
    std::int64_t first_time_us = 0, last_time_us = 0;
    // The lowest mid at the first time and the highest at the last, since several ticks may share
    // a microsecond: so they do not depend on the order in which those came.
    int128 first_mid = 0, last_mid = 0;
    int128 min_bid = 0, max_bid = 0, min_ask = 0, max_ask = 0, min_mid = 0, max_mid = 0;
    int128 sum_bid = 0, sum_ask = 0, sum_mid = 0, sum_volume = 0;  // exact
    std::string_view symbol;                                       // empty: mixed
};

}  // namespace ingest
