#include "ingest/copy_encode.h"

#include "ingest/copy_cursor.h"
#include "ingest/producer_key.h"

namespace ingest {

namespace {

// The producer's name at the beginning of its key.
[[nodiscard]] text_ref name_only(const block& in, text_ref key) noexcept {
    if (!key.present()) return key;
    const std::size_t length = producer_name_of(in.text(key)).size();
    return {.offset = key.offset, .length = static_cast<std::uint32_t>(length)};
}

constexpr std::size_t tick_fixed_bytes_max = 2 + 9 * 4 + 8 + 4 * numeric_wire_bytes_max + 1 + 16;
constexpr std::size_t event_fixed_bytes_max = 2 + 11 * 4 + 3 * 8 + 3 * 16 + 2 + 64;
constexpr std::size_t dead_letter_fixed_bytes_max = 2 + 12 * 4 + 4 * 8 + 16 + 5 + 64;

}  // namespace

void begin_copy_stream(byte_buffer& out) {
    constexpr std::string_view header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    out.append(header);
}

void end_copy_stream(byte_buffer& out) { out.append("\377\377"); }

void append_tick(const block& in, const tick_row& row, byte_buffer& out) {
    const std::size_t texts = row.symbol.length + row.source.length + row.metadata.length;
    append_copy_row(out, tick_fixed_bytes_max + texts, [&](copy_cursor& to) {
        to.number(std::int16_t{9});
        to.timestamptz(row.time_us);
        to.text(in.text(row.symbol));
        to.numeric(row.bid);
        to.numeric(row.ask);
        to.numeric(row.mid);
        row.has_volume ? to.numeric(row.volume) : to.null();
        to.text_or_null(in, row.source);
        to.jsonb_or_null(in, row.metadata);
        to.uuid_or_null(in.tenant(row.tenant));
    });
}

sha256_digest append_event(const block& in, const activity_row& row, std::int64_t id,
                           activity_hasher& hasher, byte_buffer& out) {
    sha256_digest hash;
    const std::size_t texts = std::size_t{row.agent_id.length} + row.action_type.length +
                              row.action_payload.length + row.metadata.length;
    append_copy_row(out, event_fixed_bytes_max + texts, [&](copy_cursor& to) {
        to.number(std::int16_t{activity_row_fields + 1});
        const char* const hashed = to.at();
        to.int8(id);
        to.timestamptz(row.time_us);
        to.text_or_null(in, row.agent_id);
        to.text(in.text(row.action_type));
        to.jsonb(in.text(row.action_payload));
        to.uuid_or_null(row.has_user_id ? &row.user_id : nullptr);
        to.uuid_or_null(row.has_session_id ? &row.session_id : nullptr);
        to.jsonb_or_null(in, row.metadata);
        to.timestamptz(row.received_us);
        to.uuid_or_null(in.tenant(row.tenant));
        const auto hashed_bytes = static_cast<std::size_t>(to.at() - hashed);
        hash = hasher.row_hash({hashed, hashed_bytes});
        const sha256_hex hex = to_hex(hash);
        to.text({hex.data(), hex.size()});
    });
    return hash;
}

void append_dead_letter(const block& in, const dead_letter_row& row, byte_buffer& out) {
    const origin& from = in.origins()[row.origin];
    const std::string_view reason = to_string(row.reason);
    const std::size_t texts = std::size_t{from.peer.length} + from.listener.length +
                              from.producer_name.length + row.raw.length + reason.size() +
                              row.field.size();
    append_copy_row(out, dead_letter_fixed_bytes_max + texts, [&](copy_cursor& to) {
        to.number(std::int16_t{12});
        to.timestamptz(row.received_us);
        to.int8(static_cast<std::int64_t>(from.session_id));
        to.text_or_null(in, from.peer);
        to.text_or_null(in, from.listener);
        to.text_or_null(in, name_only(in, from.producer_name));
        to.uuid_or_null(in.tenant(row.tenant));
        row.seq != 0 ? to.int8(static_cast<std::int64_t>(row.seq)) : to.null();
        to.text(reason);
        row.field.empty() ? to.null() : to.text(row.field);
        to.text(in.text(row.raw));
        to.int8(static_cast<std::int64_t>(row.raw_length));
        row.sqlstate[0] != '\0' ? to.text({row.sqlstate.data(), row.sqlstate.size()}) : to.null();
    });
}

}  // namespace ingest
