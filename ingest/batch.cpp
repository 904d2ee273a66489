#include "ingest/batch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ingest/copy_encode.h"

namespace ingest {

namespace {

[[nodiscard]] const uuid* tenant_of(const event_place& at) noexcept {
    return at.in->tenant(at.in->events()[at.row].tenant);
}

// The rows of a batch lie in the order of their arrival and are encoded in another, so each is a
// miss in the core's cache unless it is asked for this many rows ahead: a row first, then, by what
// the row says, the texts in its line.
constexpr std::size_t rows_ahead = 24;
constexpr std::size_t texts_ahead = 12;

void fetch_row(const tick_place& at) noexcept {
    const auto* const row = reinterpret_cast<const char*>(&at.in->ticks()[at.row]);
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
}

[[nodiscard]] optional_text text_or_absent(const block& in, text_ref ref) noexcept {
    return ref.present() ? in.text(ref) : optional_text{};
}

[[nodiscard]] segment_tick segment_tick_of(const block& in, const tick_row& row) noexcept {
    return {.time_us = row.time_us,
            .bid = row.bid,
            .ask = row.ask,
            .mid = row.mid,
            .volume = row.has_volume ? std::optional<int128>(row.volume) : std::nullopt,
            .symbol = in.text(row.symbol),
            .source = text_or_absent(in, row.source),
            .metadata = text_or_absent(in, row.metadata)};
}

void fetch_texts(const tick_place& at) noexcept {
    const tick_row& row = at.in->ticks()[at.row];
    __builtin_prefetch(at.in->text(row.symbol).data());
    __builtin_prefetch(at.in->text(row.source).data());
    if (row.metadata.present()) __builtin_prefetch(at.in->text(row.metadata).data());
}

}  // namespace

bool batch::has_room(std::uint32_t rows_max) const noexcept {
    return blocks_.size() < limits::batch_blocks_max && row_count_ < rows_max &&
           byte_count_ < limits::batch_bytes_max;
}

void batch::add(std::unique_ptr<block> next) {
    row_count_ += next->row_count();
    byte_count_ += next->byte_count();
    blocks_.push_back(std::move(next));
}

void batch::order() {
    ticks_.arrange(blocks_);
    events_.clear();
    for (const auto& in : blocks_) {
        for (std::uint32_t row = 0; row < in->events().size(); ++row) {
            if (in->event_refused(row)) continue;
            events_.push_back({in.get(), row, static_cast<std::uint32_t>(events_.size())});
        }
    }
    std::ranges::sort(events_, [](const event_place& a, const event_place& b) {
        const auto order = compare_tenants(tenant_of(a), tenant_of(b));
        return order != 0 ? order < 0 : a.arrival < b.arrival;
    });
}

void batch::gather_producers() {
    producers_.clear();
    for (const auto& in : blocks_) {
        for (const origin& from : in->origins()) {
            if (from.producer == 0 || from.lost) continue;
            auto share = std::ranges::find(producers_, from.producer, &producer_share::producer);
            if (share == producers_.end()) {
                producers_.push_back({.name = in->text(from.producer_name),
                                      .producer = from.producer,
                                      .expected_seq = from.expected_seq});
                share = producers_.end() - 1;
            }
            share->newest_seq = std::max(share->newest_seq, from.newest_seq);
            share->received += from.received;
            share->accepted += from.accepted;
            share->duplicates += from.duplicates;
            share->dead_lettered += from.dead_lettered;
        }
    }
}

void batch::prepare(segments_wanted segments) {
    order();
    gather_producers();
    events_numbered_ = events_.empty();
    event_bytes_.clear();
    runs_.clear();

    tick_bytes_.clear();
    if (!ticks().empty()) encode_ticks(0, ticks().size(), tick_bytes_);
    segment_stream_ = {};
    if (segments == segments_wanted::yes && !ticks().empty()) pack_segments();

    dead_bytes_.clear();
    dead_count_ = 0;
    for (const auto& in : blocks_) {
        for (const dead_letter_row& row : in->dead_letters()) {
            if (in->origins()[row.origin].lost) continue;
            if (dead_count_++ == 0) begin_copy_stream(dead_bytes_);
            append_dead_letter(*in, row, dead_bytes_);
        }
    }
    if (dead_count_ != 0) end_copy_stream(dead_bytes_);
}

void batch::pack_segments() {
    const std::span<const tick_place> places = ticks();
    segments_.begin(limits::segment_run_ticks_min);
    const uuid* tenant = nullptr;
    const auto end_run = [&] {
        if (!run_.empty()) segments_.add(tenant, run_);
        run_.clear();
    };
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (i + rows_ahead < places.size()) fetch_row(places[i + rows_ahead]);
        if (i + texts_ahead < places.size()) fetch_texts(places[i + texts_ahead]);
        const block& in = *places[i].in;
        const tick_row& row = in.ticks()[places[i].row];
        const segment_tick tick = segment_tick_of(in, row);
        const uuid* const of = in.tenant(row.tenant);
        if (!run_.empty() &&
            (run_.size() == limits::segment_run_ticks_max || run_.back().symbol != tick.symbol ||
             compare_tenants(of, tenant) != std::strong_ordering::equal)) {
            end_run();
        }
        // The same tenant stands in many blocks: one of its places stands for all.
        if (i == 0 || compare_tenants(of, tenant) != std::strong_ordering::equal) tenant = of;
        run_.push_back(tick);
    }
    end_run();
    segment_stream_ = segments_.finish();
}

void batch::number_events(std::int64_t first_id, activity_hasher& hasher) {
    event_bytes_.clear();
    runs_.clear();
    events_numbered_ = true;
    if (events_.empty()) return;
    begin_copy_stream(event_bytes_);
    const uuid* tenant = nullptr;
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const event_place& at = events_[i];
        const activity_row& row = at.in->events()[at.row];
        const std::int64_t id = first_id + static_cast<std::int64_t>(i);
        if (const uuid* const next = tenant_of(at);
            i == 0 || compare_tenants(tenant, next) != std::strong_ordering::equal) {
            if (i != 0) runs_.end(producers_, hasher.plain());
            runs_.begin(next, id);
            tenant = next;
        }
        const sha256_digest hash = append_event(*at.in, row, id, hasher, event_bytes_);
        runs_.add(hash, at.in->origins()[row.origin].producer, hasher.plain());
    }
    runs_.end(producers_, hasher.plain());
    end_copy_stream(event_bytes_);
}

void batch::encode_ticks(std::size_t begin, std::size_t end, byte_buffer& out) const {
    begin_copy_stream(out);
    const std::span<const tick_place> places = ticks();
    for (std::size_t i = end; i-- > begin;) {
        if (i >= begin + rows_ahead) fetch_row(places[i - rows_ahead]);
        if (i >= begin + texts_ahead) fetch_texts(places[i - texts_ahead]);
        append_tick(*places[i].in, places[i].in->ticks()[places[i].row], out);
    }
    end_copy_stream(out);
}

void batch::encode_events(std::size_t begin, std::size_t end, std::int64_t first_id,
                          activity_hasher& hasher, byte_buffer& out) const {
    begin_copy_stream(out);
    for (std::size_t i = begin; i < end; ++i) {
        append_event(*events_[i].in, events_[i].in->events()[events_[i].row],
                     first_id + static_cast<std::int64_t>(i), hasher, out);
    }
    end_copy_stream(out);
}

block& batch::owner_of(const block* in) noexcept {
    return **std::ranges::find_if(blocks_, [in](const auto& held) { return held.get() == in; });
}

void batch::refuse_tick(std::size_t place, std::string_view sqlstate, std::int64_t now_us) {
    const tick_place& refused = ticks()[place];
    owner_of(refused.in).refuse_tick(refused.row, sqlstate, now_us);
}

void batch::refuse_event(std::size_t place, std::string_view sqlstate, std::int64_t now_us) {
    owner_of(events_[place].in).refuse_event(events_[place].row, sqlstate, now_us);
}

void batch::drop_producer(std::string_view name) {
    for (const auto& in : blocks_) in->drop_producer(name);
}

void batch::rebase_producer(std::string_view name, std::uint64_t watermark, std::int64_t now_us) {
    for (const auto& in : blocks_) watermark = in->rebase_producer(name, watermark, now_us);
}

std::int64_t batch::oldest_us() const noexcept {
    std::int64_t oldest = 0;
    for (const auto& in : blocks_) {
        const std::int64_t from = in->oldest_us();
        if (from != 0 && (oldest == 0 || from < oldest)) oldest = from;
    }
    return oldest;
}

std::vector<std::unique_ptr<block>> batch::release() {
    ticks_.clear();
    events_.clear();
    producers_.clear();
    tick_bytes_.clear();
    event_bytes_.clear();
    runs_.clear();
    dead_bytes_.clear();
    segments_.clear();
    segment_stream_ = {};
    row_count_ = dead_count_ = 0;
    byte_count_ = 0;
    events_numbered_ = false;
    return std::exchange(blocks_, {});
}

}  // namespace ingest
