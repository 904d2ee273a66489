// What the daemon says to a session that sent a hello: one JSON object per line.
//
//     {"type":"welcome","version":1,"producer":"feed-a","resume_after":12345,
//      "ack":"committed","max_line_bytes":1048576}
//     {"type":"ack","seq":N}
//     {"type":"reject","seq":N,"verdict":"...","detail":"..."}
//     {"type":"error","code":"...","detail":"..."}
//     {"type":"drain"}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ingest/byte_buffer.h"
#include "ingest/hello.h"
#include "ingest/verdict.h"

namespace ingest {

inline constexpr std::uint64_t wire_version = 1;

// Why the daemon closes a session. A code, once released, stays.
enum class session_error : std::uint8_t {
    bad_hello,         // the hello could not be read
    unauthorized,      // the credential does not cover this producer
    superseded,        // the same producer has connected again
    seq_missing,       // a record of an acked session carries no sequence
    rejects_overflow,  // the session does not read its rejects
    shutting_down,
    internal,
    idle_timeout,
    too_many_sessions,
    unauthenticated,  // no credential, or none that is known and good (any more)
    unavailable,      // credentials cannot be checked now
};

inline constexpr std::uint8_t session_error_count =
    static_cast<std::uint8_t>(session_error::unavailable) + 1;

// The word of the wire protocol; static storage. And its inverse.
[[nodiscard]] std::string_view to_string(session_error code) noexcept;
[[nodiscard]] std::optional<session_error> session_error_from(std::string_view word) noexcept;

// --- the daemon's side: each appends one line, newline included; texts are UTF-8 ---

void append_welcome(std::string_view producer, std::uint64_t resume_after, ack_level ack,
                    std::size_t line_bytes_max, byte_buffer& out);
void append_ack(std::uint64_t seq, byte_buffer& out);
// `seq` 0: the record's could not be read, and null is written.
void append_reject(std::uint64_t seq, verdict reason, std::string_view detail, byte_buffer& out);
void append_error(session_error code, std::string_view detail, byte_buffer& out);
void append_drain(byte_buffer& out);

// --- the client's side ---

struct welcome_message {
    std::uint64_t version = 0;
    std::string producer;
    std::uint64_t resume_after = 0;  // send what comes after this sequence
    ack_level ack = ack_level::committed;
    std::uint64_t line_bytes_max = 0;
};
struct ack_message {
    std::uint64_t seq = 0;  // everything up to here is settled
};
struct reject_message {
    std::uint64_t seq = 0;  // 0: the daemon could not read the record's
    std::string verdict;    // a word, since a newer daemon may know more of them
    std::string detail;
};
struct error_message {
    std::string code;  // likewise
    std::string detail;
};
struct drain_message {};
// A message of a kind that this version does not know, to be passed over.
struct unknown_message {
    std::string type;
};

using daemon_message = std::variant<welcome_message, ack_message, reject_message, error_message,
                                    drain_message, unknown_message>;

// Reads one line, without its newline. Members it does not know are passed over. Nothing: not a
// message at all, or one that lacks what its type needs. For a client: it allocates.
[[nodiscard]] std::optional<daemon_message> parse_daemon_message(std::string_view line);

}  // namespace ingest
