#include "ingest/segment_encoder.h"

#include <algorithm>
#include <cassert>

namespace ingest {

namespace {

constexpr std::uint16_t no_text = 0xFFFF;

// A tick that has something, where all or none had it so far, or the other way round, makes the
// difference between a bitmap and none.
[[nodiscard]] bool as_before(bool has, std::uint32_t with, std::uint32_t ticks) noexcept {
    return has ? with != 0 : with != ticks;
}

[[nodiscard]] bool some(std::uint32_t with, std::uint32_t ticks) noexcept {
    return with != 0 && with != ticks;
}

}  // namespace

std::int64_t end_of_day_us(std::int64_t time_us) noexcept {
    constexpr std::int64_t day_us = 86'400'000'000;
    const std::int64_t into_day_us = (time_us % day_us + day_us) % day_us;
    return time_us - into_day_us + day_us;
}

struct segment_encoder::tick_values {
    int128 spread, rest;
    std::uint32_t symbol, source;
};

segment_encoder::segment_encoder(std::size_t bytes_max) : bytes_max_(bytes_max) {
    constexpr std::size_t ticks = limits::segment_ticks_max;
    for (halves* each : {&time_, &bid_, &spread_, &rest_, &volume_}) {
        each->low.resize(ticks);
        each->high.resize(ticks);
    }
    symbol_.resize(ticks);
    source_.resize(ticks);
    has_volume_.resize(ticks);
    has_metadata_.resize(ticks);
    data_.reserve_more(bytes_max);
}

bool segment_encoder::add(const segment_tick& tick) {
    assert(!tick.symbol.empty() && tick.symbol.size() <= 255 && tick.source.size() <= 255);
    if (empty()) {
        head_ = {};
        day_end_us_ = end_of_day_us(tick.time_us);
    } else if (shape_.ticks == limits::segment_ticks_max || tick.time_us < head_.last_time_us ||
               tick.time_us >= day_end_us_) {
        return false;
    }
    if (!empty() && present(tick.metadata) &&
        metadata_texts_.size() + tick.metadata.size() > limits::segment_metadata_bytes_max) {
        return false;
    }
    tick_values values{.spread = tick.ask - tick.bid,
                       .rest = tick.mid - mid_of(tick.bid, tick.ask),
                       .symbol = symbols_.find(tick.symbol),
                       .source = present(tick.source) ? sources_.find(tick.source) : no_text};
    if (covers(tick, values)) {
        if (bytes_of(shape_.ticks + 1, shape_.layout) > bytes_max_) return false;
        shape_.time_step.previous = tick.time_us;
        shape_.bid_step.previous = tick.bid;
        shape_.with_volume += tick.volume.has_value();
        shape_.with_metadata += present(tick.metadata);
        shape_.with_source += present(tick.source);
        ++shape_.ticks;
    } else if (!widen(tick, values)) {
        return false;
    }
    keep(tick, values);
    return true;
}

bool segment_encoder::covers(const segment_tick& tick, const tick_values& values) const noexcept {
    const shape& is = shape_;
    return is.ticks != 0 && is.time_step.covers(tick.time_us) &&
           differ_by_multiple(is.time.exponent, tick.time_us, is.time.first) &&
           is.bid.covers(tick.bid) && is.bid_step.covers(tick.bid) &&
           is.spread.covers(values.spread) && is.rest.covers(values.rest) &&
           as_before(tick.volume.has_value(), is.with_volume, is.ticks) &&
           (!tick.volume || is.volume.covers(*tick.volume)) &&
           as_before(present(tick.metadata), is.with_metadata, is.ticks) &&
           values.symbol != segment_texts::unknown && values.source != segment_texts::unknown &&
           as_before(present(tick.source), is.with_source, is.ticks);
}

bool segment_encoder::widen(const segment_tick& tick, tick_values& values) {
    const shape before = shape_;
    shape& is = shape_;
    const bool later = is.ticks != 0;
    is.time.include(tick.time_us);
    is.time_step.include(tick.time_us, later);
    is.bid.include(tick.bid);
    is.bid_step.include(tick.bid, later);
    is.spread.include(values.spread);
    is.rest.include(values.rest);
    if (tick.volume) is.volume.include(*tick.volume);
    is.with_volume += tick.volume.has_value();
    is.with_metadata += present(tick.metadata);
    is.with_source += present(tick.source);
    ++is.ticks;
    const bool new_symbol = values.symbol == segment_texts::unknown;
    const bool new_source = values.source == segment_texts::unknown;
    if (new_symbol) values.symbol = symbols_.add(tick.symbol);
    if (new_source) values.source = sources_.add(tick.source);

    is.layout = measure();
    if (bytes_of(is.ticks, is.layout) <= bytes_max_) return true;
    assert(later);
    shape_ = before;
    if (new_symbol) symbols_.remove_last();
    if (new_source) sources_.remove_last();
    return false;
}

segment_encoder::layout segment_encoder::measure() const noexcept {
    const shape& is = shape_;
    std::size_t row = is.time_step.width(is.time.exponent);
    row += bid_as_steps() ? is.bid_step.width(is.bid.exponent) : is.bid.width();
    row += std::size_t{is.spread.width()} + is.rest.width() + is.volume.width();
    row += symbols_.width(false);
    row += sources_.width(is.with_source != is.ticks);
    return {
        .fixed_bytes = segment_head_bytes + symbols_.written().size() + sources_.written().size(),
        .row_bytes = row,
        .bitmaps = std::size_t{some(is.with_volume, is.ticks)} +
                   std::size_t{some(is.with_metadata, is.ticks)}};
}

void segment_encoder::keep(const segment_tick& tick, const tick_values& values) {
    const std::size_t i = shape_.ticks - 1;
    time_.low[i] = static_cast<std::uint64_t>(tick.time_us);
    bid_.set(i, tick.bid);
    spread_.set(i, values.spread);
    rest_.set(i, values.rest);
    if (tick.volume) volume_.set(i, *tick.volume);
    has_volume_[i] = tick.volume.has_value();
    has_metadata_[i] = present(tick.metadata);
    symbol_[i] = static_cast<std::uint16_t>(values.symbol);
    source_[i] = static_cast<std::uint16_t>(values.source);
    if (present(tick.metadata)) {
        metadata_lengths_.push_back(static_cast<std::uint32_t>(tick.metadata.size()));
        metadata_texts_.append(tick.metadata);
    }
    sum_up(tick);
}

void segment_encoder::sum_up(const segment_tick& tick) noexcept {
    segment_header& head = head_;
    if (shape_.ticks == 1) {
        head.first_time_us = head.last_time_us = tick.time_us;
        head.first_mid = head.last_mid = tick.mid;
        head.min_ask = head.max_ask = tick.ask;
        head.min_mid = head.max_mid = tick.mid;
    } else {
        if (tick.time_us == head.first_time_us) head.first_mid = std::min(head.first_mid, tick.mid);
        const bool newer = tick.time_us != head.last_time_us;
        head.last_mid = newer ? tick.mid : std::max(head.last_mid, tick.mid);
        head.last_time_us = tick.time_us;
        head.min_ask = std::min(head.min_ask, tick.ask);
        head.max_ask = std::max(head.max_ask, tick.ask);
        head.min_mid = std::min(head.min_mid, tick.mid);
        head.max_mid = std::max(head.max_mid, tick.mid);
    }
    head.sum_bid += tick.bid;
    head.sum_ask += tick.ask;
    head.sum_mid += tick.mid;
    head.sum_volume += tick.volume.value_or(0);
}

}  // namespace ingest
