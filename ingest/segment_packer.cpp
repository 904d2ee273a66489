#include "ingest/segment_packer.h"

#include <algorithm>

#include "ingest/copy_cursor.h"
#include "ingest/copy_encode.h"
#include "ingest/limits.h"
#include "ingest/tick_order.h"

namespace ingest {

namespace {

constexpr std::size_t row_fields = 21;
constexpr std::size_t fixed_bytes_max =
    2 + row_fields * 4 + 2 * 8 + 16 + 2 + 2 * 4 + 12 * numeric_wire_bytes_max;
// Mixed ticks that are held before they are packed, so that a batch of many symbols costs no more
// memory than this: some 2 MiB.
constexpr std::size_t mixed_ticks_max = 16'384;

}  // namespace

void segment_packer::begin(std::size_t run_ticks_min) {
    out_.clear();
    mixed_.clear();
    segments_ = 0;
    run_ticks_min_ = run_ticks_min;
}

void segment_packer::add(const uuid* tenant, std::span<const segment_tick> run) {
    if (run.size() >= run_ticks_min_) {
        if (how_ == packing::batch) {
            for (const segment_tick& tick : run) pack(tenant, tick);
            end_segment(tenant, false);
            return;
        }
        while (!run.empty()) {
            const auto next_day = std::ranges::lower_bound(run, end_of_day_us(run.front().time_us),
                                                           {}, &segment_tick::time_us);
            const auto of_day = static_cast<std::size_t>(next_day - run.begin());
            pack_evenly(tenant, run.first(of_day));
            run = run.subspan(of_day);
        }
        return;
    }
    // By value: the runs of one tenant point into as many blocks as they come from.
    if (!mixed_.empty() && (compare_tenants(mixed_tenant_, tenant) != 0 ||
                            mixed_.size() + run.size() > mixed_ticks_max)) {
        pack_mixed();
    }
    mixed_tenant_ = tenant;
    mixed_.insert(mixed_.end(), run.begin(), run.end());
}

std::string_view segment_packer::finish() {
    pack_mixed();
    if (segments_ == 0) return {};
    end_copy_stream(out_);
    return out_.view();
}

// Runs come by symbol, segments are in order of time.
void segment_packer::pack_mixed() {
    by_time_.clear();
    for (std::uint32_t i = 0; i < mixed_.size(); ++i) by_time_.push_back({mixed_[i].time_us, i});
    std::ranges::sort(by_time_);
    for (const auto& [time_us, index] : by_time_) pack(mixed_tenant_, mixed_[index]);
    end_segment(mixed_tenant_, false);
    mixed_.clear();
}

void segment_packer::pack(const uuid* tenant, const segment_tick& tick) {
    if (encoder_.add(tick)) return;
    end_segment(tenant, true);
    static_cast<void>(encoder_.add(tick));  // An empty encoder takes every tick.
}

// A small segment between whole ones would stay small, or be merged with others across these, and
// then every bound between the others would lie within it.
void segment_packer::pack_evenly(const uuid* tenant, std::span<const segment_tick> run_of_day) {
    struct place {
        std::size_t tick, stream_bytes, segments;
    };
    place before{0, out_.size(), segments_}, last = before;
    for (std::size_t i = 0; i < run_of_day.size(); ++i) {
        if (encoder_.add(run_of_day[i])) continue;
        end_segment(tenant, true);
        before = last;
        last = {i, out_.size(), segments_};
        static_cast<void>(encoder_.add(run_of_day[i]));
    }
    if (last.tick == 0 || encoder_.data_bytes() >= limits::segment_bytes_max / 2) {
        end_segment(tenant, last.tick != 0);
        return;
    }
    static_cast<void>(encoder_.finish());
    out_.truncate(before.stream_bytes);
    segments_ = before.segments;
    const auto shared = run_of_day.subspan(before.tick);
    for (const segment_tick& tick : shared.first(shared.size() / 2)) pack(tenant, tick);
    end_segment(tenant, true);
    for (const segment_tick& tick : shared.subspan(shared.size() / 2)) pack(tenant, tick);
    end_segment(tenant, true);
}

segment_level segment_packer::level_of(bool mixed, bool whole, std::size_t data_bytes) const {
    if (how_ == packing::batch) return segment_level::fresh;
    const bool merged = !mixed && (whole || data_bytes >= limits::segment_bytes_max / 2);
    return merged ? segment_level::merged : segment_level::unmerged;
}

void segment_packer::end_segment(const uuid* tenant, bool whole) {
    if (encoder_.empty()) return;
    if (segments_++ == 0) begin_copy_stream(out_);
    const encoded_segment made = encoder_.finish();
    const segment_header& head = made.header;
    const bool mixed = head.symbol.empty();
    const auto numeric = [mixed](copy_cursor& to, int128 value) {
        mixed ? to.null() : to.numeric(value);
    };
    append_copy_row(
        out_, fixed_bytes_max + made.data.size() + made.metadata.size() + head.symbol.size(),
        [&](copy_cursor& to) {
            to.number(static_cast<std::int16_t>(row_fields));
            to.timestamptz(head.first_time_us);
            to.timestamptz(head.last_time_us);
            mixed ? to.null() : to.text(head.symbol);
            to.uuid_or_null(tenant);
            to.int2(static_cast<std::int16_t>(level_of(mixed, whole, made.data.size())));
            to.int4(static_cast<std::int32_t>(head.tick_count));
            to.int4(static_cast<std::int32_t>(head.volume_count));
            numeric(to, head.first_mid);
            numeric(to, head.last_mid);
            numeric(to, head.min_bid);
            numeric(to, head.max_bid);
            numeric(to, head.min_ask);
            numeric(to, head.max_ask);
            numeric(to, head.min_mid);
            numeric(to, head.max_mid);
            numeric(to, head.sum_bid);
            numeric(to, head.sum_ask);
            numeric(to, head.sum_mid);
            !mixed&& head.volume_count != 0 ? to.numeric(head.sum_volume) : to.null();
            to.text(made.data);
            made.metadata.empty() ? to.null() : to.text(made.metadata);
        });
}

}  // namespace ingest
