// The hello: a session's first line, if it wants to be answered.
//
//     {"type":"hello","producer":"feed-a","ack":"committed","token":"...","source":"..."}
//
// Unlike in a record, an unknown member is refused: a misspelt `ack` must not become the default.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace ingest {

// When a record counts as settled.
enum class ack_level : std::uint8_t {
    committed,  // it is in the database
    spooled,    // it is synced to the spool, or committed
    none,       // nothing is acked; the producer's sequence is followed all the same
};

// The word of the wire protocol; static storage. And its inverse.
[[nodiscard]] std::string_view to_string(ack_level level) noexcept;
[[nodiscard]] std::optional<ack_level> ack_level_from(std::string_view word) noexcept;

struct hello {
    std::string producer = {};  // 1 to 100 characters, none of them a control character
    ack_level ack = ack_level::committed;
    std::string token = {};   // empty: none was sent
    std::string source = {};  // empty: none was sent; else as a producer, up to 50 characters
};

enum class hello_error : std::uint8_t {
    not_json,  // not one JSON object
    too_long,  // over limits::hello_bytes_max
    unknown_member,
    duplicate_member,
    wrong_type,  // a member that is no string
    producer_missing,
    producer_invalid,
    ack_invalid,
    source_invalid,
};

// One sentence for people; static storage.
[[nodiscard]] std::string_view explain(hello_error error) noexcept;

// Whether a session's first line asks to be treated as a hello: an object, JSON or not quite, whose
// `type` is "hello". Costs nanoseconds for a line that is none.
[[nodiscard]] bool looks_like_hello(std::string_view line) noexcept;

// Reads a line that looks like a hello. A member that is null counts as absent.
[[nodiscard]] std::expected<hello, hello_error> parse_hello(std::string_view line);

// The hello as a line, with its newline, as a client sends it.
[[nodiscard]] std::string to_line(const hello& from);

}  // namespace ingest
