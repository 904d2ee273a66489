// A record as the parser hands it on: checked, exact, not yet kept. Texts point into the line or
// into the parser's memory and are good until the parser's next call.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/decimal.h"
#include "ingest/limits.h"
#include "ingest/uuid.h"

namespace ingest {

enum class record_kind : std::uint8_t { tick, activity };

// Absent (SQL NULL) is a null data pointer; empty text is not absent.
using optional_text = std::string_view;
[[nodiscard]] constexpr bool present(optional_text text) noexcept { return text.data() != nullptr; }

struct record {
    record_kind kind = record_kind::tick;
    std::int64_t time_us = 0;    // since 1970
    std::uint64_t seq = 0;       // 1 to 2^63-1; 0: the record carries none
    std::optional<uuid> tenant;  // absent: the shared market data, or no tenant
    optional_text metadata;      // normal form of an object

    // tick
    std::string_view symbol;
    int128 bid = 0, ask = 0, mid = 0;  // units of 10^-8
    std::optional<int128> volume;
    optional_text source;

    // activity
    optional_text agent_id;
    std::string_view action_type;
    std::string_view action_payload;  // normal form of any JSON value
    std::optional<uuid> user_id, session_id;
};

enum class unknown_fields : std::uint8_t { metadata, ignore, reject };

// What a session's records are held to. One per listener, replaced as a whole on reload.
struct record_rules {
    excess_digits excess = excess_digits::reject;
    unknown_fields unknown = unknown_fields::metadata;
    std::uint32_t depth_max = limits::json_depth_max;  // 1 to json_depth_max
    std::int64_t future_limit_us = 3'600'000'000;      // against the daemon's clock
    std::optional<std::int64_t> past_limit_us;         // none: any age
    std::optional<uuid> tenant;                        // the credential's; stamped on every record
    bool tenant_from_payload = false;                  // the credential may speak for any tenant
};

}  // namespace ingest
