#include "ingest/tick_columns.h"

#include <limits>

namespace ingest {

namespace {

[[nodiscard]] bool is_narrow(int128 value) noexcept {
    return value == static_cast<std::int64_t>(value);
}

}  // namespace

void decimal_column::widen() {
    if (is_wide) return;
    wide.assign(narrow.begin(), narrow.end());
    narrow.clear();
    is_wide = true;
}

void decimal_column::push_back(int128 value) {
    if (!is_wide && is_narrow(value)) {
        narrow.push_back(static_cast<std::int64_t>(value));
        return;
    }
    widen();
    wide.push_back(value);
}

void decimal_column::resize(std::size_t count) {
    is_wide ? wide.resize(count) : narrow.resize(count);
}

void decimal_column::clear() noexcept {
    narrow.clear();
    wide.clear();
    is_wide = false;
}

std::uint32_t text_column::number_of(std::string_view text) {
    if (!entries.empty() && entries.back() == text) {
        return static_cast<std::uint32_t>(entries.size() - 1);
    }
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(entries.size());
    entries.emplace_back(text);
    numbers_.emplace(entries.back(), number);
    return number;
}

void text_column::spread_out(std::size_t size) {
    if (index.empty()) index.assign(size, uniform);
}

void text_column::append(std::size_t size, std::size_t count, std::uint32_t number) {
    if (index.empty() && (size == 0 || uniform == number)) {
        uniform = number;
        return;
    }
    spread_out(size);
    index.insert(index.end(), count, number);
}

void text_column::clear() noexcept {
    entries.clear();
    index.clear();
    numbers_.clear();
    uniform = none;
}

void metadata_column::push_back(std::string_view text) {
    bytes.append(text);
    ends.push_back(bytes.size());
}

void metadata_column::clear() noexcept {
    bytes.clear();
    ends.clear();
}

void tick_columns::reserve(std::size_t ticks) {
    time_us.reserve(ticks);
    for (decimal_column* each : {&bid, &ask, &mid}) each->narrow.reserve(ticks);
}

void tick_columns::clear() noexcept {
    time_us.clear();
    for (decimal_column* each : {&bid, &ask, &mid, &volume}) each->clear();
    no_volume.clear();
    symbol.clear();
    source.clear();
    metadata.clear();
}

void tick_columns::begin_volumes(std::size_t old_size) {
    if (!volume.empty() || old_size == 0) return;
    volume.narrow.assign(old_size, 0);
    no_volume.assign(old_size, 1);
}

void tick_columns::begin_missing_volumes(std::size_t old_size) {
    if (no_volume.empty()) no_volume.assign(old_size, 0);
}

void tick_columns::append_tick(const tick_columns& from, std::size_t i) {
    const std::size_t old_size = size();
    if (from.has_volume(i)) {
        begin_volumes(old_size);
        volume.push_back(from.volume[i]);
        if (!no_volume.empty()) no_volume.push_back(0);
    } else if (!volume.empty()) {
        begin_missing_volumes(old_size);
        volume.push_back(0);
        no_volume.push_back(1);
    }
    bid.push_back(from.bid[i]);
    ask.push_back(from.ask[i]);
    mid.push_back(from.mid[i]);
    const std::uint32_t source_number = from.source.number(i);
    symbol.append(old_size, 1, symbol.number_of(from.symbol[i]));
    source.append(
        old_size, 1,
        source_number == text_column::none ? text_column::none : source.number_of(from.source[i]));
    if (!from.metadata.ends.empty()) metadata.push_back(from.metadata[i]);
    time_us.push_back(from.time_us[i]);
}

}  // namespace ingest
