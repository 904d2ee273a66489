// Whether what is in a table is what was loaded: every row, every column, each as often as it was
// loaded. Rows are compared as the bytes in which COPY BINARY sends them, by a 64-bit hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace bench {

struct row_difference {
    std::uint64_t lost = 0;     // loaded, but not there, or not as often
    std::uint64_t doubled = 0;  // there more often than loaded
    std::uint64_t changed = 0;  // there, but never loaded

    [[nodiscard]] bool none() const noexcept { return lost + doubled + changed == 0; }
};

// Rows in any order, known by their hashes.
class row_hashes {
public:
    void add(std::string_view row);
    [[nodiscard]] std::size_t size() const noexcept { return hashes_.size(); }
    // Of the first `rows` that were added and those of a table.
    [[nodiscard]] row_difference compare(std::size_t rows, row_hashes found) const;

private:
    std::vector<std::uint64_t> hashes_;
};

// The rows that `query` gives, with its columns in their order. Throws std::runtime_error.
[[nodiscard]] row_hashes read_rows(tickd::pg_connection& sql, const std::string& query);

}  // namespace bench
