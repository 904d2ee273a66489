// What one transaction commits: some blocks, their ticks in the order the table wants them, and
// the same rows encoded for COPY.
//
// Ticks are sorted by (tenant, symbol, time, arrival) and written from the last to the first: index
// upkeep is the whole cost of COPY into this table, and its index runs from new to old. Rows that
// come in its order cost half and leave it half as large (ARCHITECTURE.md has the figures).
// Events keep their order of arrival within a tenant, so that their ids run without a gap.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/activity_hash.h"
#include "ingest/activity_run.h"
#include "ingest/block.h"
#include "ingest/byte_buffer.h"
#include "ingest/segment_packer.h"
#include "ingest/tick_order.h"

namespace ingest {

struct event_place {
    const block* in;
    std::uint32_t row;
    std::uint32_t arrival;
};

// What one producer's share of a batch moves: settled in the batch's own transaction.
struct producer_share {
    std::string_view name;           // its key (producer_key.h), inside one of the batch's blocks
    std::uint32_t producer = 0;      // the lane's number
    std::uint64_t expected_seq = 0;  // the watermark this batch builds on
    std::uint64_t newest_seq = 0;    // the watermark it leaves
    std::uint64_t received = 0, accepted = 0, duplicates = 0, dead_lettered = 0;
};

enum class segments_wanted : bool { no, yes };

class batch {
public:
    [[nodiscard]] bool empty() const noexcept { return blocks_.empty(); }
    [[nodiscard]] bool has_room(std::uint32_t rows_max) const noexcept;
    void add(std::unique_ptr<block> next);

    // Orders the rows, encodes the ticks and dead letters, and packs the ticks into segments unless
    // they are not wanted. Again after a row was refused.
    void prepare(segments_wanted segments = segments_wanted::yes);
    // The same in steps, for who has something to do between them: each encodes about `ticks_max`
    // more. True: there is more to do. Goes on where the last step ended, unless a block was added
    // or a row refused since; then it begins anew.
    [[nodiscard]] bool prepare_some(std::size_t ticks_max,
                                    segments_wanted segments = segments_wanted::yes);
    [[nodiscard]] bool preparing() const noexcept { return preparing_; }
    // Encodes the events under `first_id` and the ids that follow; hashes each row and each run.
    void number_events(std::int64_t first_id, activity_hasher& hasher);
    [[nodiscard]] bool events_numbered() const noexcept { return events_numbered_; }

    // Whole COPY streams, header and trailer included; empty when there is nothing to copy.
    [[nodiscard]] std::string_view tick_stream() const noexcept { return tick_bytes_.view(); }
    [[nodiscard]] std::string_view segment_stream() const noexcept { return segment_stream_; }
    [[nodiscard]] std::string_view event_stream() const noexcept { return event_bytes_.view(); }
    [[nodiscard]] std::string_view dead_letter_stream() const noexcept {
        return dead_bytes_.view();
    }

    [[nodiscard]] std::span<const tick_place> ticks() const noexcept { return ticks_.places(); }
    [[nodiscard]] std::span<const event_place> events() const noexcept { return events_; }
    // Of the events, once they are numbered: one a tenant.
    [[nodiscard]] std::span<const activity_run> activity_runs() const noexcept {
        return runs_.all();
    }
    [[nodiscard]] std::uint32_t dead_letter_count() const noexcept { return dead_count_; }
    [[nodiscard]] std::uint32_t row_count() const noexcept { return row_count_; }
    [[nodiscard]] std::span<const producer_share> producers() const noexcept { return producers_; }
    [[nodiscard]] std::int64_t oldest_us() const noexcept;

    // Rows places[i] with begin <= i < end, as a stream of their own, ticks from the last to the
    // first: for finding which of them the server refuses.
    void encode_ticks(std::size_t begin, std::size_t end, byte_buffer& out) const;
    void encode_events(std::size_t begin, std::size_t end, std::int64_t first_id,
                       activity_hasher& hasher, byte_buffer& out) const;
    // The server refuses this row: it becomes a dead letter. Call prepare() afterwards.
    void refuse_tick(std::size_t place, std::string_view sqlstate, std::int64_t now_us);
    void refuse_event(std::size_t place, std::string_view sqlstate, std::int64_t now_us);

    // Another daemon has moved this producer's watermark: none of its rows may be written here.
    void drop_producer(std::string_view name);

    // The producer's watermark in the database is another one; see block::rebase_producer.
    void rebase_producer(std::string_view name, std::uint64_t watermark, std::int64_t now_us);

    // Gives the blocks back and empties the batch; its memory stays.
    [[nodiscard]] std::vector<std::unique_ptr<block>> release();
    [[nodiscard]] std::span<const std::unique_ptr<block>> blocks() const noexcept {
        return blocks_;
    }

private:
    void order();
    void gather_producers();
    void begin_preparing();
    [[nodiscard]] std::size_t encode_run(segments_wanted segments);
    void finish_preparing(segments_wanted segments);
    [[nodiscard]] block& owner_of(const block* in) noexcept;

    std::vector<std::unique_ptr<block>> blocks_;
    tick_order ticks_;
    std::vector<event_place> events_;
    std::vector<producer_share> producers_;
    byte_buffer tick_bytes_, event_bytes_, dead_bytes_;
    segment_packer segments_{packing::batch};
    std::vector<segment_tick> run_;  // of one symbol, filled from its end
    std::size_t ticks_left_ = 0;     // those before are to be encoded yet
    bool preparing_ = false;         // begun and not finished
    std::string_view segment_stream_;
    ingest::activity_runs runs_;
    std::uint32_t row_count_ = 0;
    std::uint32_t dead_count_ = 0;
    std::size_t byte_count_ = 0;
    bool events_numbered_ = false;
};

}  // namespace ingest
