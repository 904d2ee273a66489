#include "ingest/segment_texts.h"

#include <functional>

#include "ingest/limits.h"

namespace ingest {

namespace {

// Never more than half full: a segment has no more texts than ticks.
constexpr std::size_t places = 2 * std::size_t{limits::segment_ticks_max};
static_assert((places & (places - 1)) == 0);

}  // namespace

segment_texts::segment_texts() : places_(places) {}

std::string_view segment_texts::text(const entry& of) const noexcept {
    const auto length = static_cast<unsigned char>(bytes_.data()[of.offset]);
    return bytes_.view(of.offset + 1, length);
}

// Where the text is, or the free place where it would be.
std::uint32_t segment_texts::place_of(std::string_view sought) const noexcept {
    std::size_t place = std::hash<std::string_view>{}(sought) & (places - 1);
    while (places_[place] != 0 && text(entries_[places_[place] - 1U]) != sought) {
        place = (place + 1) & (places - 1);
    }
    return static_cast<std::uint32_t>(place);
}

std::uint32_t segment_texts::find(std::string_view sought) noexcept {
    if (entries_.empty()) return unknown;
    if (text(entries_[last_]) == sought) return last_;
    const std::uint16_t found = places_[place_of(sought)];
    if (found == 0) return unknown;
    last_ = found - 1U;
    return last_;
}

std::uint32_t segment_texts::add(std::string_view added) {
    const std::uint32_t place = place_of(added);
    entries_.push_back({static_cast<std::uint32_t>(bytes_.size()), place});
    places_[place] = static_cast<std::uint16_t>(entries_.size());
    bytes_.push_back(static_cast<char>(static_cast<unsigned char>(added.size())));
    bytes_.append(added);
    last_ = count() - 1;
    return last_;
}

void segment_texts::remove_last() noexcept {
    places_[entries_.back().place] = 0;
    bytes_.truncate(entries_.back().offset);
    entries_.pop_back();
    last_ = 0;
}

void segment_texts::clear() noexcept {
    for (const entry& each : entries_) places_[each.place] = 0;
    entries_.clear();
    bytes_.clear();
    last_ = 0;
}

}  // namespace ingest
