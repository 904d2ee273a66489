#include "daemon/query/query_time.h"

#include "daemon/utc_day.h"
#include "ingest/timestamp.h"

namespace tickd {

std::optional<std::int64_t> parse_query_time(std::string_view text) noexcept {
    constexpr std::int64_t day_us = 86'400'000'000;
    if (const auto day = parse_date(text)) return *day * day_us;
    for (const auto& parsed : {ingest::parse_rfc3339(text), ingest::parse_epoch(text)}) {
        if (parsed.error == ingest::time_error::none) return parsed.unix_us;
    }
    return std::nullopt;
}

}  // namespace tickd
