#include "ingest/block.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace ingest {

block::block() {
    ticks_.reserve(limits::block_rows_max);
    origins_.reserve(16);
    bytes_.reserve_more(limits::block_bytes_soft_max / 2);
}

bool block::has_room() const noexcept {
    return row_count() < limits::block_rows_max && bytes_.size() < limits::block_bytes_soft_max;
}

text_ref block::keep_text(std::string_view text) {
    const auto offset = static_cast<std::uint32_t>(bytes_.size());
    bytes_.append(text);
    return {offset, static_cast<std::uint32_t>(text.size())};
}

std::uint16_t block::add_origin(const origin& from) {
    assert(has_room_for_origin());
    origins_.push_back(from);
    return static_cast<std::uint16_t>(origins_.size() - 1);
}

tenant_index block::tenant_index_of(const std::optional<uuid>& tenant) {
    if (!tenant) return 0;
    // A block rarely sees more than one or two tenants; the newest is the likeliest.
    const auto found = std::find(tenants_.rbegin(), tenants_.rend(), *tenant);
    if (found != tenants_.rend()) {
        return static_cast<tenant_index>(tenants_.rend() - found);
    }
    tenants_.push_back(*tenant);
    return static_cast<tenant_index>(tenants_.size());
}

// Texts without escapes lie inside the raw line already: only their place is noted.
text_ref block::keep_within(std::string_view raw, text_ref raw_at, optional_text text) {
    if (!present(text)) return {};
    const std::less_equal<const char*> at_or_before;
    if (at_or_before(raw.data(), text.data()) &&
        at_or_before(text.data() + text.size(), raw.data() + raw.size())) {
        const auto within = static_cast<std::uint32_t>(text.data() - raw.data());
        return {raw_at.offset + within, static_cast<std::uint32_t>(text.size())};
    }
    return keep_text(text);
}

void block::keep(const record& accepted, std::string_view raw, std::int64_t received_us,
                 std::uint16_t from) {
    assert(row_count() < limits::block_rows_max);
    if (oldest_us_ == 0) oldest_us_ = received_us;
    const text_ref raw_at = keep_text(raw);
    const tenant_index tenant = tenant_index_of(accepted.tenant);
    if (accepted.kind == record_kind::tick) {
        ticks_.push_back({
            .bid = accepted.bid,
            .ask = accepted.ask,
            .mid = accepted.mid,
            .volume = accepted.volume.value_or(0),
            .time_us = accepted.time_us,
            .seq = accepted.seq,
            .raw = raw_at,
            .symbol = keep_within(raw, raw_at, accepted.symbol),
            .source = keep_within(raw, raw_at, accepted.source),
            .metadata = keep_within(raw, raw_at, accepted.metadata),
            .tenant = tenant,
            .origin = from,
            .has_volume = accepted.volume.has_value(),
        });
    } else {
        events_.push_back({
            .time_us = accepted.time_us,
            .received_us = received_us,
            .seq = accepted.seq,
            .raw = raw_at,
            .agent_id = keep_within(raw, raw_at, accepted.agent_id),
            .action_type = keep_within(raw, raw_at, accepted.action_type),
            .action_payload = keep_within(raw, raw_at, accepted.action_payload),
            .metadata = keep_within(raw, raw_at, accepted.metadata),
            .user_id = accepted.user_id.value_or(uuid{}),
            .session_id = accepted.session_id.value_or(uuid{}),
            .tenant = tenant,
            .origin = from,
            .has_user_id = accepted.user_id.has_value(),
            .has_session_id = accepted.session_id.has_value(),
        });
    }
}

void block::keep_refused(const refusal& why, std::uint64_t seq, std::string_view raw,
                         std::uint64_t raw_length, std::int64_t received_us, std::uint16_t from) {
    assert(row_count() < limits::block_rows_max);
    if (oldest_us_ == 0) oldest_us_ = received_us;
    dead_.push_back({
        .received_us = received_us,
        .seq = seq,
        .raw_length = raw_length,
        .raw = keep_text(raw),
        .field = why.field,
        .origin = from,
        .tenant = origins_[from].tenant,
        .reason = why.reason,
        .sqlstate = {},
    });
}

namespace {

// What settle_batch raises when another writer has moved a producer's watermark.
constexpr std::string_view producer_moved_sqlstate = "TK002";

template <typename Row>
[[nodiscard]] dead_letter_row refused_row(const Row& row, std::string_view sqlstate,
                                          std::int64_t received_us) {
    dead_letter_row dead{
        .received_us = received_us,
        .seq = row.seq,
        .raw_length = row.raw.length,
        .raw = row.raw,
        .field = {},
        .origin = row.origin,
        .tenant = row.tenant,
        .reason = verdict::refused_by_server,
        .sqlstate = {},
    };
    std::copy_n(sqlstate.begin(), std::min(sqlstate.size(), dead.sqlstate.size()),
                dead.sqlstate.begin());
    return dead;
}

}  // namespace

void block::refuse_tick(std::uint32_t row, std::string_view sqlstate, std::int64_t now_us) {
    if (tick_refused(row)) return;
    refused_ticks_.resize(ticks_.size());
    refused_ticks_[row] = true;
    dead_.push_back(refused_row(ticks_[row], sqlstate, now_us));
    origin& from = origins_[ticks_[row].origin];
    --from.accepted;
    ++from.dead_lettered;
}

void block::refuse_event(std::uint32_t row, std::string_view sqlstate, std::int64_t now_us) {
    if (event_refused(row)) return;
    refused_events_.resize(events_.size());
    refused_events_[row] = true;
    dead_.push_back(refused_row(events_[row], sqlstate, now_us));
    origin& from = origins_[events_[row].origin];
    --from.accepted;
    ++from.dead_lettered;
}

void block::drop_producer(std::string_view name) {
    for (origin& from : origins_) {
        if (from.producer != 0 && text(from.producer_name) == name) from.lost = true;
    }
    const auto leave_out = [this](const auto& rows, std::vector<bool>& refused) {
        refused.resize(rows.size());
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (origins_[rows[row].origin].lost) refused[row] = true;
        }
    };
    leave_out(ticks_, refused_ticks_);
    leave_out(events_, refused_events_);
}

std::uint64_t block::rebase_producer(std::string_view name, std::uint64_t watermark,
                                     std::int64_t now_us) {
    for (std::size_t i = 0; i < origins_.size(); ++i) {
        if (origins_[i].producer == 0 || origins_[i].lost) continue;
        if (text(origins_[i].producer_name) != name) continue;
        for (std::uint32_t row = 0; row < ticks_.size(); ++row) {
            if (ticks_[row].origin != i || ticks_[row].seq > watermark) continue;
            refuse_tick(row, producer_moved_sqlstate, now_us);
        }
        for (std::uint32_t row = 0; row < events_.size(); ++row) {
            if (events_[row].origin != i || events_[row].seq > watermark) continue;
            refuse_event(row, producer_moved_sqlstate, now_us);
        }
        // One that was refused before may be there already too, and says so.
        for (dead_letter_row& row : dead_) {
            if (row.origin != i || row.seq == 0 || row.seq > watermark) continue;
            std::ranges::copy(producer_moved_sqlstate, row.sqlstate.begin());
        }
        origins_[i].expected_seq = watermark;
        watermark = origins_[i].newest_seq = std::max(origins_[i].newest_seq, watermark);
    }
    return watermark;
}

void block::reset() noexcept {
    bytes_.clear_above(limits::block_bytes_keep);
    ticks_.clear();
    events_.clear();
    dead_.clear();
    origins_.clear();
    tenants_.clear();
    refused_ticks_.clear();
    refused_events_.clear();
    oldest_us_ = 0;
    sealed_us_ = 0;
}

}  // namespace ingest
