// The names of a record's fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "ingest/record.h"

namespace ingest {

enum class field_key : std::uint8_t {
    type,
    seq,
    tenant,
    time,
    metadata,
    symbol,
    bid,
    ask,
    mid,
    volume,
    source,
    timestamp,
    agent_id,
    action_type,
    action_payload,
    user_id,
    session_id,
    unknown,
};

// A set of field keys.
class field_set {
public:
    constexpr field_set() = default;
    template <typename... Keys>
    constexpr explicit field_set(Keys... keys) noexcept {
        (add(keys), ...);
    }
    constexpr void add(field_key key) noexcept { bits_ |= bit(key); }
    [[nodiscard]] constexpr bool has(field_key key) const noexcept {
        return (bits_ & bit(key)) != 0;
    }

private:
    [[nodiscard]] static constexpr std::uint32_t bit(field_key key) noexcept {
        return std::uint32_t{1} << static_cast<unsigned>(key);
    }
    std::uint32_t bits_ = 0;
};

// The fields that a record of each kind has; any other is unknown to it.
inline constexpr field_set tick_fields{field_key::type,   field_key::seq,      field_key::tenant,
                                       field_key::time,   field_key::metadata, field_key::symbol,
                                       field_key::bid,    field_key::ask,      field_key::mid,
                                       field_key::volume, field_key::source};
inline constexpr field_set activity_fields{
    field_key::type,           field_key::seq,       field_key::tenant,    field_key::time,
    field_key::metadata,       field_key::timestamp, field_key::agent_id,  field_key::action_type,
    field_key::action_payload, field_key::user_id,   field_key::session_id};

[[nodiscard]] constexpr const field_set& fields_of(record_kind kind) noexcept {
    return kind == record_kind::tick ? tick_fields : activity_fields;
}

// The key's name, static storage; empty for unknown.
[[nodiscard]] constexpr std::string_view name_of(field_key key) noexcept {
    switch (key) {
        case field_key::type: return "type";
        case field_key::seq: return "seq";
        case field_key::tenant: return "tenant";
        case field_key::time: return "time";
        case field_key::metadata: return "metadata";
        case field_key::symbol: return "symbol";
        case field_key::bid: return "bid";
        case field_key::ask: return "ask";
        case field_key::mid: return "mid";
        case field_key::volume: return "volume";
        case field_key::source: return "source";
        case field_key::timestamp: return "timestamp";
        case field_key::agent_id: return "agent_id";
        case field_key::action_type: return "action_type";
        case field_key::action_payload: return "action_payload";
        case field_key::user_id: return "user_id";
        case field_key::session_id: return "session_id";
        case field_key::unknown: break;
    }
    return {};
}

// The key of a decoded name. Every record asks this for each of its fields: one jump on the
// length leaves at most four comparisons, whose fixed sizes the compiler turns into loads.
[[nodiscard]] constexpr field_key key_of(std::string_view name) noexcept {
    const auto is = [begin = std::to_address(name.begin())]<std::size_t bytes>(const char(
                        &word)[bytes]) { return __builtin_memcmp(begin, word, bytes - 1) == 0; };
    switch (name.size()) {
        case 3:
            if (is("bid")) return field_key::bid;
            if (is("ask")) return field_key::ask;
            if (is("seq")) return field_key::seq;
            if (is("mid")) return field_key::mid;
            break;
        case 4:
            if (is("time")) return field_key::time;
            if (is("type")) return field_key::type;
            break;
        case 6:
            if (is("symbol")) return field_key::symbol;
            if (is("source")) return field_key::source;
            if (is("volume")) return field_key::volume;
            if (is("tenant")) return field_key::tenant;
            break;
        case 7:
            if (is("user_id")) return field_key::user_id;
            break;
        case 8:
            if (is("metadata")) return field_key::metadata;
            if (is("agent_id")) return field_key::agent_id;
            break;
        case 9:
            if (is("timestamp")) return field_key::timestamp;
            break;
        case 10:
            if (is("session_id")) return field_key::session_id;
            break;
        case 11:
            if (is("action_type")) return field_key::action_type;
            break;
        case 14:
            if (is("action_payload")) return field_key::action_payload;
            break;
        default: break;
    }
    return field_key::unknown;
}

}  // namespace ingest
