#include "ingest/batch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ingest/copy_encode.h"

namespace ingest {

namespace {

[[nodiscard]] std::uint64_t prefix_of(std::string_view symbol) noexcept {
    std::uint64_t prefix = 0;
    std::memcpy(&prefix, symbol.data(), std::min<std::size_t>(symbol.size(), 8));
    if constexpr (std::endian::native == std::endian::little) prefix = std::byteswap(prefix);
    return prefix;
}

// No tenant sorts first.
[[nodiscard]] std::strong_ordering compare_tenants(const uuid* a, const uuid* b) noexcept {
    if (a == nullptr || b == nullptr) return (a != nullptr) <=> (b != nullptr);
    return *a <=> *b;
}

[[nodiscard]] const uuid* tenant_of(const tick_place& at) noexcept {
    return at.in->tenant(at.in->ticks()[at.row].tenant);
}

[[nodiscard]] const uuid* tenant_of(const event_place& at) noexcept {
    return at.in->tenant(at.in->events()[at.row].tenant);
}

[[nodiscard]] std::string_view symbol_of(const tick_place& at) noexcept {
    return at.in->text(at.in->ticks()[at.row].symbol);
}

[[nodiscard]] bool symbol_goes_before(const tick_place& a, const tick_place& b) noexcept {
    if (a.symbol_prefix != b.symbol_prefix) return a.symbol_prefix < b.symbol_prefix;
    // Equal and ending in a zero byte: at most seven characters, so equal altogether.
    if ((a.symbol_prefix & 0xffU) != 0) {
        const int order = symbol_of(a).compare(symbol_of(b));
        if (order != 0) return order < 0;
    }
    if (a.time_us != b.time_us) return a.time_us < b.time_us;
    return a.arrival < b.arrival;
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
    ticks_.clear();
    events_.clear();
    bool any_tenant = false;
    for (const auto& in : blocks_) {
        const auto ticks = in->ticks();
        for (std::uint32_t row = 0; row < ticks.size(); ++row) {
            if (in->tick_refused(row)) continue;
            any_tenant = any_tenant || ticks[row].tenant != 0;
            ticks_.push_back({.symbol_prefix = prefix_of(in->text(ticks[row].symbol)),
                              .time_us = ticks[row].time_us,
                              .in = in.get(),
                              .row = row,
                              .arrival = static_cast<std::uint32_t>(ticks_.size())});
        }
        for (std::uint32_t row = 0; row < in->events().size(); ++row) {
            if (in->event_refused(row)) continue;
            events_.push_back({in.get(), row, static_cast<std::uint32_t>(events_.size())});
        }
    }
    if (any_tenant) {
        std::ranges::sort(ticks_, [](const tick_place& a, const tick_place& b) {
            const auto order = compare_tenants(tenant_of(a), tenant_of(b));
            return order != 0 ? order < 0 : symbol_goes_before(a, b);
        });
    } else {
        std::ranges::sort(ticks_, symbol_goes_before);
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
                                      .tenant = in->tenant(from.tenant),
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

void batch::prepare() {
    order();
    gather_producers();
    events_numbered_ = events_.empty();
    event_bytes_.clear();
    runs_.clear();

    tick_bytes_.clear();
    if (!ticks_.empty()) encode_ticks(0, ticks_.size(), tick_bytes_);

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
    for (std::size_t i = begin; i < end; ++i) {
        append_tick(*ticks_[i].in, ticks_[i].in->ticks()[ticks_[i].row], out);
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
    owner_of(ticks_[place].in).refuse_tick(ticks_[place].row, sqlstate, now_us);
}

void batch::refuse_event(std::size_t place, std::string_view sqlstate, std::int64_t now_us) {
    owner_of(events_[place].in).refuse_event(events_[place].row, sqlstate, now_us);
}

void batch::drop_producer(std::string_view name) {
    for (const auto& in : blocks_) in->drop_producer(name);
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
    row_count_ = dead_count_ = 0;
    byte_count_ = 0;
    events_numbered_ = false;
    return std::exchange(blocks_, {});
}

}  // namespace ingest
