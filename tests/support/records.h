// Records for tests, and how they are known again: a row carries its feed's name and its number
// through every encoding, in `source` and `bid` of a tick, `agent_id` and `action_payload` of an
// event, `producer` and `seq` of a dead letter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/batch.h"
#include "ingest/block.h"

namespace tickd::test {

// A symbol or action type that the fake databases refuse, with this state.
inline constexpr std::string_view poison = "POISON";
inline constexpr std::string_view poison_sqlstate = "22003";

[[nodiscard]] ingest::uuid uuid_of(std::uint8_t last_byte);

// Adds an origin: of the producer when `producer` is not 0, of a plain session otherwise.
std::uint16_t add_origin(ingest::block& to, std::string_view name, std::uint32_t producer,
                         std::uint64_t expected_seq, std::uint64_t session_id = 1);

// Keep a record that can be known again, and count it the way the session thread does.
void keep_tick(ingest::block& to, std::uint16_t from, std::uint64_t seq,
               std::string_view symbol = "EURUSD");
void keep_event(ingest::block& to, std::uint16_t from, std::uint64_t seq,
                std::string_view action_type = "decision");
void keep_refused(ingest::block& to, std::uint16_t from, std::uint64_t seq);

struct known_row {
    enum class table : std::uint8_t { ticks, events, dead_letters };
    table in = table::ticks;
    std::string feed;
    std::uint64_t seq = 0;
    std::int64_t id = 0;  // of an event
    bool is_poison = false;
    std::string sqlstate{};  // of a dead letter that the server refused
    auto operator<=>(const known_row&) const = default;
};

// The rows of a COPY stream of the table; throws std::runtime_error when it is malformed.
[[nodiscard]] std::vector<known_row> known_rows(known_row::table table, std::string_view stream);
// Everything that a prepared batch, its events numbered, would write.
[[nodiscard]] std::vector<known_row> known_rows(const ingest::batch& rows);

}  // namespace tickd::test
