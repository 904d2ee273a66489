// Candles as the arrays that tickd.merge_candles and tickd.merge_latest take.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/db/pg_connection.h"
#include "ingest/candle.h"

namespace tickd {

inline constexpr const char* merge_candles_statement =
    "SELECT tickd.merge_candles($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)";
inline constexpr const char* merge_latest_statement = "SELECT tickd.merge_latest($1,$2,$3)";

// `{a,"b c",NULL}`: one text per element; a text is quoted when it must be.
class pg_array_text {
public:
    void add(std::string_view element);
    // For what never needs quotes: numbers, times, UUIDs.
    void add_plain(std::string_view element);
    void add_null() { add_plain("NULL"); }
    [[nodiscard]] std::string take();

private:
    std::string text_;
};

using candle_iterator = std::map<ingest::candle_key, ingest::candle>::const_iterator;

// The parameters of merge_candles_statement for [begin, end).
[[nodiscard]] std::vector<pg_parameter> candle_parameters(candle_iterator begin,
                                                          candle_iterator end);
// Those of merge_latest_statement: the newest time of each symbol and tenant in `candles`.
[[nodiscard]] std::vector<pg_parameter> latest_parameters(const ingest::candle_set& candles);

}  // namespace tickd
