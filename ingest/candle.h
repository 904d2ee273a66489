// One-minute candles of mid, made from ticks in any order.
//
// A candle is a commutative merge: of ticks that share the first time the lowest mid opens, of
// those that share the last time the highest closes. So late ticks, ticks that share their time and
// ticks that come in another order leave the same candle.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/decimal.h"
#include "ingest/uuid.h"

namespace ingest {

// A price times a volume is below 10^50 units of 10^-16, and up to 2^27 of them are added.
using wide_sum = boost::multiprecision::int256_t;

struct candle {
    int128 open = 0, high = 0, low = 0, close = 0;  // units of 10^-8
    std::int64_t first_us = 0, last_us = 0;         // since 1970
    std::uint64_t tick_count = 0;
    bool has_volume = false;
    int128 volume = 0;          // units of 10^-8; 2^27 volumes of the largest fit
    wide_sum volume_value = 0;  // of volume * mid, units of 10^-16
};

inline constexpr std::int64_t minute_us = 60'000'000;

// The begin of the minute that `time_us` lies in, before 1970 too.
[[nodiscard]] constexpr std::int64_t minute_of(std::int64_t time_us) noexcept {
    const std::int64_t into = time_us % minute_us;
    return time_us - (into < 0 ? into + minute_us : into);
}

struct candle_key {
    std::string symbol;
    std::optional<uuid> tenant;
    std::int64_t begin_us = 0;
    auto operator<=>(const candle_key&) const = default;
};

// Decimal text of a sum of 10^-16 units.
[[nodiscard]] std::string to_text(const wide_sum& value);

class candle_set {
public:
    // `volume`: null for none. Ticks of one symbol's minute in a row cost one look-up.
    void add(const std::optional<uuid>& tenant, std::string_view symbol, std::int64_t time_us,
             int128 mid, const int128* volume);
    [[nodiscard]] const std::map<candle_key, candle>& all() const noexcept { return candles_; }
    void clear() noexcept {
        candles_.clear();
        current_ = nullptr;
    }

private:
    std::map<candle_key, candle> candles_;
    const candle_key* current_key_ = nullptr;
    candle* current_ = nullptr;
};

}  // namespace ingest
