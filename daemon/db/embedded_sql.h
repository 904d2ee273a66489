// The files of sql/migrations, compiled in: the binary carries the schema it needs.
//
// The build writes the implementation from sql/migrations/NNNN_name.sql.
#pragma once

#include <span>
#include <string_view>

namespace tickd {

struct embedded_migration {
    int number;             // NNNN, from 1, without gaps
    std::string_view name;  // "name" of NNNN_name.sql
    std::string_view sql;   // the file, byte for byte
};

// In ascending order of number; static storage.
[[nodiscard]] std::span<const embedded_migration> embedded_migrations() noexcept;

}  // namespace tickd
