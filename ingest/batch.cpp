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
    preparing_ = false;
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
    preparing_ = false;
    while (prepare_some(limits::batch_rows_max, segments)) {
    }
}

bool batch::prepare_some(std::size_t ticks_max, segments_wanted segments) {
    if (!preparing_) begin_preparing();
    for (std::size_t done = 0; ticks_left_ != 0 && done < ticks_max;) done += encode_run(segments);
    if (ticks_left_ != 0) return true;
    finish_preparing(segments);
    return false;
}

void batch::begin_preparing() {
    preparing_ = true;
    order();
    gather_producers();
    events_numbered_ = events_.empty();
    event_bytes_.clear();
    runs_.clear();
    tick_bytes_.clear();
    ticks_left_ = ticks().size();
    if (ticks_left_ != 0) begin_copy_stream(tick_bytes_);
    segment_stream_ = {};
    segments_.begin(limits::segment_run_ticks_min);
}

// Encodes the last of the ticks left that are of one symbol, and packs them: each row is fetched
// once for both. How many they were.
std::size_t batch::encode_run(segments_wanted segments) {
    const std::span<const tick_place> places = ticks().first(ticks_left_);
    run_.resize(limits::segment_run_ticks_max);
    std::size_t first = run_.size();
    std::size_t left = places.size();
    const uuid* tenant = nullptr;
    while (left != 0 && first != 0) {
        if (left > rows_ahead) fetch_row(places[left - 1 - rows_ahead]);
        if (left > texts_ahead) fetch_texts(places[left - 1 - texts_ahead]);
        const block& in = *places[left - 1].in;
        const tick_row& row = in.ticks()[places[left - 1].row];
        const uuid* const of = in.tenant(row.tenant);
        const std::string_view symbol = in.text(row.symbol);
        if (first == run_.size()) {
            // The same tenant stands in many blocks: one of its places stands for all.
            tenant = of;
        } else if (run_.back().symbol != symbol ||
                   compare_tenants(of, tenant) != std::strong_ordering::equal) {
            break;
        }
        run_[--first] = segment_tick_of(in, row);
        append_tick(in, row, tick_bytes_);
        --left;
    }
    const std::span<const segment_tick> run = std::span<const segment_tick>(run_).subspan(first);
    if (segments == segments_wanted::yes) segments_.add(tenant, run);
    ticks_left_ = left;
    return run.size();
}

void batch::finish_preparing(segments_wanted segments) {
    preparing_ = false;
    if (!ticks().empty()) end_copy_stream(tick_bytes_);
    if (segments == segments_wanted::yes) segment_stream_ = segments_.finish();
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
    preparing_ = false;
    const tick_place& refused = ticks()[place];
    owner_of(refused.in).refuse_tick(refused.row, sqlstate, now_us);
}

void batch::refuse_event(std::size_t place, std::string_view sqlstate, std::int64_t now_us) {
    preparing_ = false;
    owner_of(events_[place].in).refuse_event(events_[place].row, sqlstate, now_us);
}

void batch::drop_producer(std::string_view name) {
    preparing_ = false;
    for (const auto& in : blocks_) in->drop_producer(name);
}

void batch::rebase_producer(std::string_view name, std::uint64_t watermark, std::int64_t now_us) {
    preparing_ = false;
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
    events_numbered_ = preparing_ = false;
    return std::exchange(blocks_, {});
}

}  // namespace ingest
