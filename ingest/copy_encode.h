// Rows in PostgreSQL's COPY BINARY format (documentation of COPY, "Binary Format"): a stream is
//
//     "PGCOPY\n\377\r\n\0" | int32 flags = 0 | int32 extension = 0 | tuples | int16 -1
//
// and a tuple an int16 field count, then for each field an int32 length (-1: NULL) and its bytes
// in the type's send format, all big-endian. timestamptz is an int64 of microseconds since
// 2000-01-01; jsonb a version byte 1 and its text; uuid sixteen bytes; numeric see numeric_wire.h.
#pragma once

#include <string_view>

#include "ingest/activity_hash.h"
#include "ingest/block.h"
#include "ingest/byte_buffer.h"

namespace ingest {

// The statements whose column lists the encoders follow.
inline constexpr std::string_view copy_ticks_statement =
    "COPY public.price_telemetry (time, symbol, bid, ask, mid, volume, source, metadata,"
    " tenant_id) FROM STDIN (FORMAT binary)";
inline constexpr std::string_view copy_events_statement =
    "COPY public.unified_activity_log (id, timestamp, agent_id, action_type, action_payload,"
    " user_id, session_id, metadata, created_at, tenant_id, hash_sha256)"
    " FROM STDIN (FORMAT binary)";
inline constexpr std::string_view copy_dead_letters_statement =
    "COPY tickd.dead_letter (received_at, session_id, peer, listener, producer, tenant_id, seq,"
    " verdict, field, raw, raw_length, sqlstate) FROM STDIN (FORMAT binary)";

void begin_copy_stream(byte_buffer& out);
void end_copy_stream(byte_buffer& out);

void append_tick(const block& in, const tick_row& row, byte_buffer& out);
// `id` becomes part of the row's hash, which is its last field and is given back.
sha256_digest append_event(const block& in, const activity_row& row, std::int64_t id,
                           activity_hasher& hasher, byte_buffer& out);
void append_dead_letter(const block& in, const dead_letter_row& row, byte_buffer& out);

}  // namespace ingest
