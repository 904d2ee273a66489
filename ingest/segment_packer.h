// Packs runs of ticks into rows of public.price_segment, as a COPY stream.
//
// A symbol with enough ticks gets segments of its own; the rest of a tenant's ticks share mixed
// ones, so that a commit of 200 ticks of 200 symbols costs one row and not 200. No segment crosses
// midnight (UTC), so that it is dropped with its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/byte_buffer.h"
#include "ingest/segment_encoder.h"
#include "ingest/uuid.h"

namespace ingest {

// The statement whose column list the rows follow.
inline constexpr std::string_view copy_segments_statement =
    "COPY public.price_segment (first_time, last_time, symbol, tenant_id, level, tick_count,"
    " volume_count, first_mid, last_mid, min_bid, max_bid, min_ask, max_ask, min_mid, max_mid,"
    " sum_bid, sum_ask, sum_mid, sum_volume, data, metadata) FROM STDIN (FORMAT binary)";

// What a segment is to the compactor; 0016_segments.sql has the meaning of the numbers.
enum class segment_level : std::int16_t {
    fresh = 0,
    unmerged = 1,
    merged = 2,
};

// What is packed, and so how.
enum class packing : bool {
    batch,       // every segment is fresh, and a run's last one is what is left over
    compaction,  // a run's last one shares ticks with the one before it, so that neither is small
};

class segment_packer {
public:
    explicit segment_packer(packing how) : how_(how) {}

    // `run_ticks_min`: a symbol with fewer ticks in a run goes to the mixed ones.
    void begin(std::size_t run_ticks_min);
    // Ticks of one symbol in order of time. Runs of one tenant follow one another. `tenant` (null:
    // none) and the ticks' texts must live until finish().
    void add(const uuid* tenant, std::span<const segment_tick> run);
    // The whole stream, or nothing when there were no ticks. Good until begin().
    [[nodiscard]] std::string_view finish();
    [[nodiscard]] std::size_t segment_count() const noexcept { return segments_; }
    void clear() noexcept { out_.clear(); }

private:
    void pack(const uuid* tenant, const segment_tick& tick);
    void pack_mixed();
    void pack_evenly(const uuid* tenant, std::span<const segment_tick> run_of_day);
    // `whole`: it took all that it could, or has its share of what did not fit into one.
    void end_segment(const uuid* tenant, bool whole);
    [[nodiscard]] segment_level level_of(bool mixed, bool whole, std::size_t data_bytes) const;

    packing how_;
    std::size_t run_ticks_min_ = 0;
    segment_encoder encoder_;
    byte_buffer out_;
    std::size_t segments_ = 0;
    const uuid* mixed_tenant_ = nullptr;
    std::vector<segment_tick> mixed_;
    std::vector<std::pair<std::int64_t, std::uint32_t>> by_time_;  // of mixed_: time and index
};

}  // namespace ingest
