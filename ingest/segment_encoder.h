// Packs ticks into segments, one at a time: for each tick it is known whether it still fits, at the
// cost of some comparisons.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ingest/byte_buffer.h"
#include "ingest/limits.h"
#include "ingest/segment_format.h"
#include "ingest/segment_range.h"
#include "ingest/segment_texts.h"

namespace ingest {

// What one segment is stored as. The bytes are the encoder's, good until its next finish().
struct encoded_segment {
    segment_header header;
    std::string_view data;      // at most the encoder's bytes_max
    std::string_view metadata;  // empty: no tick has any
};

// When the UTC day of that time ends: the first microsecond of the next.
[[nodiscard]] std::int64_t end_of_day_us(std::int64_t time_us) noexcept;

// Holds some 300 KiB, made once; nothing is allocated per tick or segment after that, but for
// metadata. Not for two threads at a time.
class segment_encoder {
public:
    // `bytes_max`: of a segment's data; at least 1,024, so that any tick fits into an empty one.
    explicit segment_encoder(std::size_t bytes_max = limits::segment_bytes_max);

    // Takes the tick, or says that it does not belong into this segment: it is full, or the tick
    // lies before the last one or on another UTC day. Then finish() and add it again: an empty
    // encoder takes every tick. Texts are copied.
    [[nodiscard]] bool add(const segment_tick& tick);

    [[nodiscard]] bool empty() const noexcept { return shape_.ticks == 0; }
    [[nodiscard]] std::uint32_t tick_count() const noexcept { return shape_.ticks; }
    // What finish() would give now.
    [[nodiscard]] std::size_t data_bytes() const noexcept {
        return bytes_of(shape_.ticks, shape_.layout);
    }

    // The segment of what was added, which must not be nothing; the encoder is empty again.
    [[nodiscard]] encoded_segment finish();

private:
    // Where the bytes go: so many for each tick, so many bits, and the rest.
    struct layout {
        std::size_t fixed_bytes = 0, row_bytes = 0, bitmaps = 0;
    };
    // All that decides the size. Copied before a tick that changes it, to be taken back if the
    // tick does not fit.
    struct shape {
        std::uint32_t ticks = 0, with_volume = 0, with_metadata = 0, with_source = 0;
        value_range time, bid, spread, rest, volume;
        step_range time_step, bid_step;
        struct layout layout;
    };
    // Values as 128 bits in two halves: nearly always the lower ones are enough to pack them.
    struct halves {
        std::vector<std::uint64_t> low;
        std::vector<std::int64_t> high;
        void set(std::size_t i, int128 value) noexcept {
            low[i] = static_cast<std::uint64_t>(value);
            high[i] = static_cast<std::int64_t>(value >> 64);
        }
        [[nodiscard]] int128 at(std::size_t i) const noexcept {
            return static_cast<int128>(static_cast<uint128>(high[i]) << 64 | low[i]);
        }
    };
    // What a tick looks like to the columns.
    struct tick_values;

    [[nodiscard]] static std::size_t bytes_of(std::uint32_t ticks, const layout& of) noexcept {
        return of.fixed_bytes + ticks * of.row_bytes + of.bitmaps * ((ticks + 7) / 8);
    }
    [[nodiscard]] bool covers(const segment_tick& tick, const tick_values& values) const noexcept;
    [[nodiscard]] bool widen(const segment_tick& tick, tick_values& values);
    [[nodiscard]] bool bid_as_steps() const noexcept {
        return shape_.bid_step.step_fits() &&
               shape_.bid_step.width(shape_.bid.exponent) < shape_.bid.width();
    }
    [[nodiscard]] layout measure() const noexcept;
    void keep(const segment_tick& tick, const tick_values& values);
    void sum_up(const segment_tick& tick) noexcept;

    void put_number(std::uint8_t flags, const value_range& range, const step_range* step);
    void put_slots(const halves& values, const value_range& range, const step_range* step);
    void put_bitmap(const std::vector<std::uint8_t>& which);
    void put_text_index(const std::vector<std::uint16_t>& index, std::uint8_t width);
    void write_metadata();

    std::size_t bytes_max_;
    shape shape_;
    segment_header head_;
    std::int64_t day_end_us_ = 0;
    segment_texts symbols_, sources_;
    halves time_, bid_, spread_, rest_, volume_;
    std::vector<std::uint16_t> symbol_, source_;
    std::vector<std::uint8_t> has_volume_, has_metadata_;
    std::vector<std::uint32_t> metadata_lengths_;
    byte_buffer metadata_texts_;
    byte_buffer data_, metadata_;
};

}  // namespace ingest
