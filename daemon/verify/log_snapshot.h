// Reads the activity log from a database, everything in one snapshot, over as many connections as
// wanted: what is committed meanwhile is in none of the answers, and nothing is half there.
//
// Row security is switched off, which makes it an error for whom it would hide rows. Nothing is
// computed by the server: who can tamper with the log can tamper with functions too.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "daemon/db/pg_connection.h"
#include "verify/copy_tuples.h"

namespace tickd {

// Why the log could not be read.
using read_error = std::string;

// One thread at a time.
class log_snapshot {
public:
    // Opens a connection and takes a snapshot. It lasts as long as this object.
    [[nodiscard]] static std::expected<log_snapshot, read_error> open(const pg_target& target);
    // Another connection to the same snapshot, for another thread. Not while this one reads.
    [[nodiscard]] std::expected<log_snapshot, read_error> open_again(const pg_target& target) const;

    // Called for each row in turn. False: the row is not of the expected form, and reading ends.
    using row_function = std::function<bool(const verify::copy_tuple&)>;
    // Runs a query, which gives `field_count` columns, as COPY BINARY.
    [[nodiscard]] std::expected<void, read_error> read(const std::string& query,
                                                       std::size_t field_count,
                                                       const row_function& take);

private:
    log_snapshot(pg_connection connection, std::string name)
        : connection_(std::move(connection)), name_(std::move(name)) {}
    [[nodiscard]] static std::expected<log_snapshot, read_error> open(const pg_target& target,
                                                                      const std::string& name);

    pg_connection connection_;
    std::string name_;
};

}  // namespace tickd
