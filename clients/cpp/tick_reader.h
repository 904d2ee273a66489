// Reads a symbol's ticks out of tickd's database: a million in some ten milliseconds, since they
// come as packed segments (docs/segments.md) and not as rows.
//
//     auto reader = tickd::client::tick_reader::connect("dbname=tickd");
//     if (!reader) return complain(reader.error().message);
//     ingest::tick_columns ticks;
//     const auto read = reader->read("EURUSD", from_us, to_us, {}, ticks);
//     for (std::size_t i = 0; i < ticks.size(); ++i) use(ticks.time_us[i], ticks.bid[i]);
//
// Prices and volumes are integers in units of 10^-8, exact. examples/read_ticks.cpp is a whole
// program. Link the CMake target `tick_reader`.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/segment_decoder.h"
#include "ingest/tick_columns.h"

namespace tickd::client {

struct read_error {
    enum class kind : std::uint8_t {
        connection,  // it could not be made, or broke
        query,       // the server refused: no such table, no right to read it, cancelled
        segment,     // what came is no segment that this reader knows
    };
    kind what = kind::connection;
    std::string message;
    std::string sqlstate;  // of query; empty otherwise
};

struct read_options {
    // The ticks' metadata, too. They are fetched from elsewhere and cost more than all the rest.
    bool metadata = false;
};

// A connection and the memory that reading takes. Not for two threads at a time.
class tick_reader {
public:
    // A connection of its own. `conninfo` as libpq reads it; empty: from PG* variables.
    [[nodiscard]] static std::expected<tick_reader, read_error> connect(
        const std::string& conninfo);
    // One of yours, in blocking mode with no command under way; it must outlive the reader, and is
    // left as it was: in your transaction, if there is one, which then decides the snapshot.
    explicit tick_reader(PGconn* borrowed) : connection_(borrowed) {}

    // Replaces `into` by the symbol's ticks with from_us <= time < to_us (microseconds since
    // 1970), in order of time, and gives their number. As the connection's role may see them:
    // shared ones and its tenant's; whoever sees several tenants gets the ticks of all. One
    // snapshot. `into` keeps its memory, so reading again into the same is faster. After an error
    // it is empty, and the connection is usable unless it broke.
    [[nodiscard]] std::expected<std::size_t, read_error> read(std::string_view symbol,
                                                              std::int64_t from_us,
                                                              std::int64_t to_us,
                                                              const read_options& options,
                                                              ingest::tick_columns& into);

    [[nodiscard]] PGconn* connection() const noexcept { return connection_; }

private:
    struct finish {
        void operator()(PGconn* connection) const noexcept { ::PQfinish(connection); }
    };
    [[nodiscard]] read_error failed(const PGresult* result) const;
    [[nodiscard]] std::expected<std::string, read_error> copy_command(
        std::string_view symbol, std::int64_t from_us, std::int64_t to_us,
        const read_options& options) const;

    std::unique_ptr<PGconn, finish> owned_;  // null when it is borrowed
    PGconn* connection_;
    ingest::segment_decoder decoder_;
};

}  // namespace tickd::client
