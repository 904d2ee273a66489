// The encoder's finish(): from what was kept to the bytes that docs/segments.md describes.
#include <cassert>
#include <cstring>

#include "ingest/segment_encoder.h"

namespace ingest {

namespace {

template <typename T>
void put(byte_buffer& out, T value) {
    std::memcpy(out.extend(sizeof value), &value, sizeof value);
}

[[nodiscard]] presence presence_of(std::uint32_t with, std::uint32_t ticks) noexcept {
    if (with == 0) return presence::none;
    return with == ticks ? presence::all : presence::some;
}

// Writes `count` slots of the type Slot, each made by `slot(i)`.
template <typename Slot, typename Make>
void put_each(byte_buffer& out, std::size_t count, Make slot) {
    char* to = out.extend(count * sizeof(Slot));
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<Slot>(slot(i));
        std::memcpy(to + i * sizeof value, &value, sizeof value);
    }
}

template <typename Make>
void put_width(byte_buffer& out, std::uint8_t width, std::size_t count, Make slot) {
    switch (width) {
        case 0: return;
        case 1: return put_each<std::uint8_t>(out, count, slot);
        case 2: return put_each<std::uint16_t>(out, count, slot);
        case 4: return put_each<std::uint32_t>(out, count, slot);
        case 8: return put_each<std::uint64_t>(out, count, slot);
        default: return put_each<uint128>(out, count, slot);
    }
}

constexpr uint128 low_half_max = std::numeric_limits<std::uint64_t>::max();

}  // namespace

// With `step` the column is one of steps.
void segment_encoder::put_number(std::uint8_t flags, const value_range& range,
                                 const step_range* step) {
    put(data_, step != nullptr ? column_kind::steps : column_kind::offsets);
    put(data_, flags);
    const std::uint8_t width = step != nullptr ? step->width(range.exponent) : range.width();
    put(data_, width);
    put(data_, static_cast<std::uint8_t>(width == 0 ? 0 : range.exponent));
    put(data_, step != nullptr ? range.first : range.lowest);
    put(data_, step != nullptr ? static_cast<std::int64_t>(step->lowest) : std::int64_t{0});
}

void segment_encoder::put_slots(const halves& values, const value_range& range,
                                const step_range* step) {
    const std::size_t count = shape_.ticks;
    const int128 lowest = step != nullptr ? step->lowest : range.lowest;
    const int128 highest = step != nullptr ? step->highest : range.highest;
    const std::uint8_t width = step != nullptr ? step->width(range.exponent) : range.width();
    const auto power = powers_of_ten[static_cast<std::size_t>(range.exponent)];
    const bool low_is_enough = static_cast<uint128>(highest - lowest) <= low_half_max &&
                               range.exponent <= exact_tenth::exponent_max;
    // Differences below 2^64 come out of the lower halves alone: arithmetic is modulo 2^64.
    const auto base = static_cast<std::uint64_t>(lowest);
    const std::uint64_t* low = values.low.data();
    const int exponent = range.exponent;
    if (step == nullptr && low_is_enough) {
        put_width(data_, width, count,
                  [=](std::size_t i) { return exact_tenth::quotient(exponent, low[i] - base); });
    } else if (step == nullptr) {
        put_width(data_, width, count, [&](std::size_t i) {
            return static_cast<uint128>(values.at(i) - lowest) / power;
        });
    } else if (low_is_enough) {
        put_width(data_, width, count, [=](std::size_t i) {
            return i == 0 ? 0 : exact_tenth::quotient(exponent, low[i] - low[i - 1] - base);
        });
    } else {
        put_width(data_, width, count, [&](std::size_t i) {
            return i == 0 ? uint128{0}
                          : static_cast<uint128>(values.at(i) - values.at(i - 1) - lowest) / power;
        });
    }
}

void segment_encoder::put_bitmap(const std::vector<std::uint8_t>& which) {
    const std::size_t bytes = (shape_.ticks + 7) / 8;
    char* to = data_.extend(bytes);
    std::memset(to, 0, bytes);
    for (std::size_t i = 0; i < shape_.ticks; ++i) {
        to[i / 8] = static_cast<char>(to[i / 8] | (which[i] << (i % 8)));
    }
}

void segment_encoder::put_text_index(const std::vector<std::uint16_t>& index, std::uint8_t width) {
    put_width(data_, width, shape_.ticks, [&](std::size_t i) { return index[i]; });
}

void segment_encoder::write_metadata() {
    metadata_.clear_above(limits::segment_metadata_bytes_max);
    if (metadata_lengths_.empty()) return;
    put(metadata_, segment_metadata_version);
    put(metadata_, static_cast<std::uint32_t>(metadata_lengths_.size()));
    for (const std::uint32_t length : metadata_lengths_) put(metadata_, length);
    metadata_.append(metadata_texts_.view());
}

encoded_segment segment_encoder::finish() {
    assert(!empty());
    const std::uint32_t ticks = shape_.ticks;
    const std::size_t expected_bytes = data_bytes();
    const presence metadata = presence_of(shape_.with_metadata, ticks);
    const presence volume = presence_of(shape_.with_volume, ticks);
    const step_range* bid_step = bid_as_steps() ? &shape_.bid_step : nullptr;
    if (volume == presence::some) {
        for (std::size_t i = 0; i < ticks; ++i) {
            if (has_volume_[i] == 0) volume_.set(i, shape_.volume.lowest);  // slot 0
        }
    }
    // A day's time always fits the lower half; put_slots looks at the upper only beyond it.
    data_.clear();
    put(data_, segment_version);
    put(data_, metadata);
    put(data_, static_cast<std::uint16_t>(ticks));
    put_number(0, shape_.time, &shape_.time_step);
    put_number(0, shape_.bid, bid_step);
    put_number(flag_from_reference, shape_.spread, nullptr);
    put_number(flag_from_reference, shape_.rest, nullptr);
    if (volume == presence::none) {
        std::memset(data_.extend(number_descriptor_bytes), 0, number_descriptor_bytes);
    } else {
        put_number(volume == presence::some ? flag_bitmap : 0, shape_.volume, nullptr);
    }
    const std::uint8_t symbol_width = symbols_.width(false);
    const std::uint8_t source_width = sources_.width(shape_.with_source != ticks);
    put(data_, std::uint16_t{symbol_width});
    put(data_, static_cast<std::uint16_t>(symbols_.count()));
    put(data_, std::uint16_t{source_width});
    put(data_, static_cast<std::uint16_t>(sources_.count()));

    if (metadata == presence::some) put_bitmap(has_metadata_);
    if (volume == presence::some) put_bitmap(has_volume_);
    const std::size_t symbols_at = data_.size();
    data_.append(symbols_.written());
    data_.append(sources_.written());
    put_slots(time_, shape_.time, &shape_.time_step);
    put_slots(bid_, shape_.bid, bid_step);
    put_slots(spread_, shape_.spread, nullptr);
    put_slots(rest_, shape_.rest, nullptr);
    if (volume != presence::none) put_slots(volume_, shape_.volume, nullptr);
    put_text_index(symbol_, symbol_width);
    if (source_width != 0) {
        const auto none = static_cast<std::uint16_t>(sources_.count());
        put_width(data_, source_width, ticks,
                  [&](std::size_t i) { return std::min(source_[i], none); });
    }
    assert(data_.size() == expected_bytes);
    static_cast<void>(expected_bytes);
    write_metadata();

    encoded_segment made{.header = head_, .data = data_.view(), .metadata = metadata_.view()};
    made.header.tick_count = ticks;
    made.header.volume_count = shape_.with_volume;
    made.header.min_bid = shape_.bid.lowest;
    made.header.max_bid = shape_.bid.highest;
    if (symbols_.count() == 1) {
        const auto length = static_cast<unsigned char>(data_.data()[symbols_at]);
        made.header.symbol = data_.view(symbols_at + 1, length);
    }
    shape_ = {};
    symbols_.clear();
    sources_.clear();
    metadata_lengths_.clear();
    metadata_texts_.clear_above(limits::segment_metadata_bytes_max);
    return made;
}

}  // namespace ingest
