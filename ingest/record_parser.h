// One line in, one checked record out: DESIGN of the wire protocol, docs/wire-protocol.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ingest/record.h"
#include "ingest/verdict.h"

namespace ingest {

// Bytes that must be readable (not set) behind a line given to the parser.
inline constexpr std::size_t line_padding_bytes = 64;

class record_parser {
public:
    // Lines up to `line_bytes_max`; allocates for that size once.
    explicit record_parser(std::size_t line_bytes_max);
    ~record_parser();
    record_parser(record_parser&&) noexcept;
    record_parser& operator=(record_parser&&) noexcept;

    // Reads one line, without its newline, behind which `line_padding_bytes` are readable.
    // `session_source` stands in for an absent `source`; `now_us` (unix microseconds) for an
    // absent time, and is what the time limits are measured against.
    // Accepted: `out` is whole. Refused: `out.seq` holds the sequence when it could be read
    // (0 otherwise), also from a line that is not JSON; nothing else of `out` means anything.
    // No allocation in steady state. One parser per thread.
    [[nodiscard]] refusal parse(std::string_view line, const record_rules& rules,
                                optional_text session_source, std::int64_t now_us, record& out);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace ingest
