#include "ingest/candle.h"

#include <algorithm>
#include <tuple>

namespace ingest {

namespace {

constexpr std::size_t value_decimals = 16;

[[nodiscard]] wide_sum widened(int128 value) {
    const bool negative = value < 0;
    const uint128 magnitude = negative ? -static_cast<uint128>(value) : static_cast<uint128>(value);
    wide_sum wide = static_cast<std::uint64_t>(magnitude >> 64U);
    wide <<= 64;
    wide += static_cast<std::uint64_t>(magnitude);
    return negative ? wide_sum(-wide) : wide;
}

void begin(candle& made, std::int64_t time_us, int128 mid) {
    made.open = made.high = made.low = made.close = mid;
    made.first_us = made.last_us = time_us;
}

void merge(candle& into, std::int64_t time_us, int128 mid) {
    if (std::tie(time_us, mid) < std::tie(into.first_us, into.open)) {
        into.first_us = time_us;
        into.open = mid;
    }
    if (std::tie(time_us, mid) > std::tie(into.last_us, into.close)) {
        into.last_us = time_us;
        into.close = mid;
    }
    into.high = std::max(into.high, mid);
    into.low = std::min(into.low, mid);
}

}  // namespace

std::string to_text(const wide_sum& value) {
    const bool negative = value < 0;
    std::string digits = wide_sum(negative ? wide_sum(-value) : value).str();
    if (digits.size() <= value_decimals) {
        digits.insert(0, value_decimals + 1 - digits.size(), '0');
    }
    digits.insert(digits.size() - value_decimals, 1, '.');
    return negative ? '-' + digits : digits;
}

void candle_set::add(const std::optional<uuid>& tenant, std::string_view symbol,
                     std::int64_t time_us, int128 mid, const int128* volume) {
    const std::int64_t begin_us = minute_of(time_us);
    if (current_ == nullptr || current_key_->begin_us != begin_us ||
        current_key_->symbol != symbol || current_key_->tenant != tenant) {
        const auto [at, fresh] = candles_.try_emplace({std::string(symbol), tenant, begin_us});
        current_key_ = &at->first;
        current_ = &at->second;
        if (fresh) begin(*current_, time_us, mid);
    }
    merge(*current_, time_us, mid);
    ++current_->tick_count;
    if (volume != nullptr) {
        current_->has_volume = true;
        current_->volume += *volume;
        current_->volume_value += widened(*volume) * widened(mid);
    }
}

}  // namespace ingest
