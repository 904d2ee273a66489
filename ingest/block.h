// A bounded run of checked records and the receipts they owe.
//
// A block is the unit of everything behind the parser: it is what crosses a ring, what a batch is
// made of and what one commit settles. Blocks are made once per lane and circulate; one thread
// owns a block at any moment, and only a ring moves it to another.
//
//     session thread          ring        writer thread          ring
//     spare -> filling ---------------> in a batch -> settled ---------------> spare
//
// The bytes hold each record's raw line (a refused record is kept with it) and whatever of its
// texts is not literally inside that line. Rows refer to them by offset.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/byte_buffer.h"
#include "ingest/record.h"
#include "ingest/verdict.h"

namespace ingest {

// A text inside a block's bytes.
struct text_ref {
    std::uint32_t offset = absent_offset;
    std::uint32_t length = 0;

    static constexpr std::uint32_t absent_offset = std::numeric_limits<std::uint32_t>::max();
    [[nodiscard]] bool present() const noexcept { return offset != absent_offset; }
};

// Index into block::tenants(); 0 is no tenant.
using tenant_index = std::uint16_t;

struct tick_row {
    int128 bid, ask, mid, volume;  // units of 10^-8
    std::int64_t time_us;          // since 1970
    std::uint64_t seq;             // 0: none
    text_ref raw, symbol, source, metadata;
    tenant_index tenant;
    std::uint16_t origin;
    bool has_volume;
};

struct activity_row {
    std::int64_t time_us;
    std::int64_t received_us;  // becomes created_at
    std::uint64_t seq;
    text_ref raw, agent_id, action_type, action_payload, metadata;
    uuid user_id, session_id;
    tenant_index tenant;
    std::uint16_t origin;
    bool has_user_id, has_session_id;
};

struct dead_letter_row {
    std::int64_t received_us;
    std::uint64_t seq;
    std::uint64_t raw_length;  // of the whole line; more than raw.length when it was too long
    text_ref raw;
    std::string_view field;  // static storage
    std::uint16_t origin;
    tenant_index tenant;
    verdict reason;
    std::array<char, 5> sqlstate;  // of refused_by_server; NULs otherwise
};

// Who some of a block's rows came from, and what they are owed once the block is settled.
struct origin {
    std::uint64_t session_id = 0;
    std::uint32_t producer = 0;  // the lane's number for the producer; 0: a plain session
    text_ref producer_name{};    // its key (producer_key.h); absent for a plain session
    text_ref peer{}, listener{};
    tenant_index tenant = 0;         // of the session's credential
    std::uint64_t newest_seq = 0;    // the producer's watermark once this block is committed
    std::uint64_t expected_seq = 0;  // its watermark before this block
    std::uint32_t received = 0;      // = accepted + duplicates + dead_lettered
    std::uint32_t accepted = 0;
    std::uint32_t duplicates = 0;
    std::uint32_t dead_lettered = 0;
    std::uint64_t bytes = 0;     // of its lines; not kept in the spool
    std::uint32_t seq_gaps = 0;  // how often numbers were skipped between two records
    bool lost = false;           // another daemon took the producer: its rows are not written
};

class block {
public:
    block();
    block(const block&) = delete;  // Rows refer to the bytes: a block stays where it is.
    block& operator=(const block&) = delete;

    // --- filling; the thread that owns the block ---

    // Whether one more record of any size may be kept. A record may overshoot the soft bound by
    // its own size.
    [[nodiscard]] bool has_room() const noexcept;
    [[nodiscard]] bool has_room_for_origin() const noexcept {
        return origins_.size() < limits::block_origins_max;
    }
    [[nodiscard]] bool empty() const noexcept { return row_count() == 0 && origins_.empty(); }

    // Copies `text` into the block.
    [[nodiscard]] text_ref keep_text(std::string_view text);
    // Adds an origin; its texts must be of this block. Requires has_room_for_origin().
    [[nodiscard]] std::uint16_t add_origin(const origin& from);
    [[nodiscard]] origin& origin_at(std::uint16_t index) noexcept { return origins_[index]; }

    // It goes to the writer now; `now_us`: since 1970.
    void seal(std::int64_t now_us) noexcept { sealed_us_ = now_us; }

    // Keeps an accepted record with its raw line. `received_us`: when it arrived, since 1970.
    void keep(const record& accepted, std::string_view raw, std::int64_t received_us,
              std::uint16_t from);
    // Keeps a refused one. `raw` is what is kept of it, `raw_length` how long it was.
    void keep_refused(const refusal& why, std::uint64_t seq, std::string_view raw,
                      std::uint64_t raw_length, std::int64_t received_us, std::uint16_t from);

    // --- reading ---

    [[nodiscard]] std::span<const tick_row> ticks() const noexcept { return ticks_; }
    [[nodiscard]] std::span<const activity_row> events() const noexcept { return events_; }
    [[nodiscard]] std::span<const dead_letter_row> dead_letters() const noexcept { return dead_; }
    [[nodiscard]] std::span<const origin> origins() const noexcept { return origins_; }
    [[nodiscard]] std::uint32_t row_count() const noexcept {
        return static_cast<std::uint32_t>(ticks_.size() + events_.size() + dead_.size());
    }
    [[nodiscard]] std::size_t byte_count() const noexcept { return bytes_.size(); }
    [[nodiscard]] std::string_view text(text_ref ref) const noexcept {
        return ref.present() ? bytes_.view(ref.offset, ref.length) : std::string_view{};
    }
    // Null for tenant 0.
    [[nodiscard]] const uuid* tenant(tenant_index index) const noexcept {
        return index == 0 ? nullptr : &tenants_[index - 1U];
    }
    [[nodiscard]] tenant_index tenant_index_of(const std::optional<uuid>& tenant);

    // When its oldest record was received, since 1970; 0 when empty.
    [[nodiscard]] std::int64_t oldest_us() const noexcept { return oldest_us_; }
    // When it was sent to the writer by this process; 0: it was not.
    [[nodiscard]] std::int64_t sealed_us() const noexcept { return sealed_us_; }

    // --- the writer: a row that the server refused becomes a dead letter ---

    void refuse_tick(std::uint32_t row, std::string_view sqlstate, std::int64_t now_us);
    void refuse_event(std::uint32_t row, std::string_view sqlstate, std::int64_t now_us);
    [[nodiscard]] bool tick_refused(std::uint32_t row) const noexcept {
        return !refused_ticks_.empty() && refused_ticks_[row];
    }
    [[nodiscard]] bool event_refused(std::uint32_t row) const noexcept {
        return !refused_events_.empty() && refused_events_[row];
    }

    // Marks the producer's origins lost and leaves its rows out of whatever is written.
    void drop_producer(std::string_view name);

    // The producer's watermark in the database is `watermark` and not what this block builds on:
    // its rows at or below it may be there already and become dead letters (refused_by_server,
    // TK002), the others build on it. Gives the watermark that the block leaves.
    [[nodiscard]] std::uint64_t rebase_producer(std::string_view name, std::uint64_t watermark,
                                                std::int64_t now_us);

    // Empties the block for its next use.
    void reset() noexcept;

private:
    friend class block_codec;  // the spool's reader and writer of whole blocks

    [[nodiscard]] text_ref keep_within(std::string_view raw, text_ref raw_at, optional_text text);

    byte_buffer bytes_;
    std::vector<tick_row> ticks_;
    std::vector<activity_row> events_;
    std::vector<dead_letter_row> dead_;
    std::vector<origin> origins_;
    std::vector<uuid> tenants_;
    std::vector<bool> refused_ticks_, refused_events_;
    std::int64_t oldest_us_ = 0;
    std::int64_t sealed_us_ = 0;
};

}  // namespace ingest
