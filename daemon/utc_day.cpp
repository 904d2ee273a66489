#include "daemon/utc_day.h"

#include <chrono>
#include <format>

#include "ingest/timestamp.h"

namespace tickd {

std::optional<std::int64_t> parse_date(std::string_view text) noexcept {
    constexpr std::size_t date_chars = 10;
    if (text.size() != date_chars) return std::nullopt;
    const ingest::time_result midnight = ingest::parse_rfc3339(std::string(text) + "T00:00:00Z");
    if (midnight.error != ingest::time_error::none) return std::nullopt;
    return std::chrono::floor<std::chrono::days>(std::chrono::microseconds(midnight.unix_us))
        .count();
}

std::string to_date(std::int64_t day) {
    return std::format("{:%F}", std::chrono::sys_days{std::chrono::days{day}});
}

}  // namespace tickd
