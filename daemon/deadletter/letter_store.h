// Dead letters in the database: read page by page, purged. Replaying is in letter_replay.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "daemon/db/pg_connection.h"
#include "daemon/deadletter/dead_letter.h"
#include "daemon/deadletter/letter_filter.h"

namespace tickd {

enum class letter_order : std::uint8_t { oldest_first, newest_first };  // by id

struct letter_page {
    letter_order order = letter_order::oldest_first;
    std::optional<std::int64_t> behind;  // the page begins behind this id
    std::size_t letters_max = 1000;
    std::optional<std::size_t> raw_bytes_max;  // of each line; none: all of it
};

[[nodiscard]] std::expected<std::vector<dead_letter>, pg_error> read_letters(
    pg_connection& connection, const letter_filter& filter, const letter_page& page);

struct letter_size {
    std::int64_t id = 0;
    std::int64_t raw_bytes = 0;
};
// The same page without what is in it.
[[nodiscard]] std::expected<std::vector<letter_size>, pg_error> read_letter_sizes(
    pg_connection& connection, const letter_filter& filter, const letter_page& page);

[[nodiscard]] std::expected<std::uint64_t, pg_error> count_letters(pg_connection& connection,
                                                                   const letter_filter& filter);

// Deletes these; gives how many were there.
[[nodiscard]] std::expected<std::uint64_t, pg_error> purge_letters(
    pg_connection& connection, std::span<const std::int64_t> ids);

// '{1,2}', as a value for a parameter of type bigint[].
[[nodiscard]] std::string id_array(std::span<const std::int64_t> ids);

}  // namespace tickd
