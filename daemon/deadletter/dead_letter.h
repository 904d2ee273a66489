// A dead letter as the commands read it from the table tickd.dead_letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tickd {

struct dead_letter {
    std::int64_t id = 0;
    std::int64_t received_us = 0;  // since 1970
    std::optional<std::int64_t> session_id;
    std::optional<std::string> peer, listener, producer;
    std::optional<std::string> tenant;  // a UUID, by the session's credential
    std::optional<std::int64_t> seq;
    std::string verdict;
    std::optional<std::string> field, detail, sqlstate;
    std::string raw;              // any bytes; possibly only its beginning was asked for
    std::int64_t raw_bytes = 0;   // kept in the table
    std::int64_t raw_length = 0;  // of the line as it was sent
    std::optional<std::int64_t> replayed_us;

    // It was too long to be kept whole: what is gone cannot be replayed.
    [[nodiscard]] bool cut() const noexcept { return raw_length > raw_bytes; }
};

}  // namespace tickd
