// Which dead letters a command is about, and the SQL that says so.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd {

enum class letter_state : std::uint8_t { waiting, replayed, any };

struct letter_filter {
    std::vector<std::int64_t> ids;
    std::vector<std::string> verdicts;
    std::vector<std::string> producers;
    std::optional<std::int64_t> since_us, until_us;  // since <= received < until
    letter_state state = letter_state::waiting;

    // Whether it names anything but a state.
    [[nodiscard]] bool selects() const noexcept {
        return !ids.empty() || !verdicts.empty() || !producers.empty() || since_us || until_us;
    }
};

// Conditions of a WHERE with the values of its $n.
struct sql_condition {
    std::string text = "true";
    std::vector<pg_parameter> parameters;

    // Adds ` AND text`, each `?` of which stands for the next of `values`.
    void add(std::string_view condition, const std::vector<std::string>& values);
};

[[nodiscard]] sql_condition condition_of(const letter_filter& filter);

// A moment as RFC 3339 with a zone, or as an age: `90s`, `2h`, `7d` before `now_us`. The error is
// a sentence's end.
[[nodiscard]] std::expected<std::int64_t, std::string> parse_moment(std::string_view text,
                                                                    std::int64_t now_us);

}  // namespace tickd
