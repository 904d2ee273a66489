// Ticks in the forms that `tickd query ticks` prints.
#pragma once

#include <cstdint>
#include <string>

#include "ingest/byte_buffer.h"
#include "ingest/tick_columns.h"

namespace tickd {

enum class output_form : std::uint8_t {
    csv,     // RFC 4180 with a header line; absent is empty
    ndjson,  // as tickd takes it: numbers as strings of all their digits
    table,   // columns under each other, for a terminal
    binary,  // COPY BINARY of (time, symbol, bid, ask, mid, volume, source, metadata)
};

class tick_output {
public:
    explicit tick_output(output_form form) : form_(form) {}

    // What comes before the first tick and behind the last; may be empty.
    void begin(std::string& out) const;
    void end(std::string& out) const;
    // All of them, in their order.
    void ticks(const ingest::tick_columns& from, std::string& out);

private:
    void csv(const ingest::tick_columns& from, std::size_t i, std::string& out) const;
    void ndjson(const ingest::tick_columns& from, std::size_t i, std::string& out) const;
    void table(const ingest::tick_columns& from, std::size_t i, std::string& out) const;
    void binary(const ingest::tick_columns& from, std::size_t i);

    output_form form_;
    ingest::byte_buffer row_;
};

}  // namespace tickd
