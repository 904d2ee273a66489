// The decoder's first half: finds the columns in untrusted bytes, and checks all that the second
// half relies on.
#include <cstring>

#include "ingest/limits.h"
#include "ingest/segment_decoder.h"
#include "ingest/segment_slots.h"

namespace ingest {

namespace {

// What a table's timestamps hold, and some room (block_codec has the same).
constexpr int128 time_limit_us = 300'000'000'000'000'000;

// Takes from the front of bytes; after one that is not there, nothing is.
class taker {
public:
    explicit taker(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] const char* take(std::size_t count) noexcept {
        if (bytes_.size() < count) good_ = false;
        if (!good_) return nullptr;
        const char* const at = bytes_.data();
        bytes_.remove_prefix(count);
        return at;
    }
    template <typename T>
    [[nodiscard]] T get() noexcept {
        T value{};
        if (const char* at = take(sizeof value)) std::memcpy(&value, at, sizeof value);
        return value;
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }

private:
    std::string_view bytes_;
    bool good_ = true;
};

[[nodiscard]] bool is_width(std::uint8_t width) noexcept {
    return width == 0 || width == 1 || width == 2 || width == 4 || width == 8 || width == 16;
}

// Every column of steps begins with its base: its first slot says nothing and is 0.
[[nodiscard]] bool first_is_zero(const char* slots, std::uint8_t width) noexcept {
    for (std::size_t i = 0; i < width; ++i) {
        if (slots[i] != 0) return false;
    }
    return true;
}

}  // namespace

std::string_view to_string(segment_error error) noexcept {
    switch (error) {
        case segment_error::unknown_version: return "of a version that this reader does not know";
        case segment_error::truncated: return "ends before its columns do";
        case segment_error::trailing_bytes: return "goes on behind its columns";
        case segment_error::bad_count: return "says a number of ticks that no segment has";
        case segment_error::bad_descriptor: return "describes a column that there cannot be";
        case segment_error::bad_text: return "refers to a text that it does not have";
        case segment_error::out_of_range: return "holds a value out of its column's range";
        case segment_error::metadata_mismatch: return "has metadata that are not its own";
    }
    return "";
}

std::optional<segment_error> segment_decoder::parse(std::string_view data) {
    taker from(data);
    const auto version = from.get<std::uint8_t>();
    if (from.good() && version != segment_version) return segment_error::unknown_version;
    const auto metadata = from.get<std::uint8_t>();
    is_.ticks = from.get<std::uint16_t>();
    bool described = metadata <= 2;
    is_.metadata = static_cast<presence>(metadata);
    const auto describe = [&](numbers& of, std::uint8_t flags_allowed) {
        const auto kind = from.get<std::uint8_t>();
        of.kind = static_cast<column_kind>(kind);
        of.flags = from.get<std::uint8_t>();
        of.width = from.get<std::uint8_t>();
        of.exponent = from.get<std::uint8_t>();
        of.base = from.get<int128>();
        of.step = from.get<std::int64_t>();
        described = described && kind <= 2 && (of.flags & ~flags_allowed) == 0 &&
                    is_width(of.width) && of.exponent <= exponent_max &&
                    (of.kind != column_kind::absent || of.width == 0) &&
                    (of.kind != column_kind::steps || (of.flags & flag_bitmap) == 0);
    };
    describe(is_.time, 0);
    describe(is_.bid, 0);
    describe(is_.ask, flag_from_reference);
    describe(is_.mid, flag_from_reference);
    describe(is_.volume, flag_bitmap);
    std::size_t symbols = 0, sources = 0;
    const auto describe_texts = [&](texts& of, std::size_t& count) {
        const auto width = from.get<std::uint16_t>();
        count = from.get<std::uint16_t>();
        of.width = static_cast<std::uint8_t>(width);
        described = described && width <= 2 && (width != 0 || count <= 1);
    };
    describe_texts(is_.symbol, symbols);
    describe_texts(is_.source, sources);
    if (!from.good()) return segment_error::truncated;
    if (is_.ticks == 0 || is_.ticks > limits::segment_ticks_max) return segment_error::bad_count;
    for (const numbers* each : {&is_.bid, &is_.ask, &is_.mid}) {
        described = described && each->kind != column_kind::absent;
    }
    if (!described || is_.time.kind != column_kind::steps) return segment_error::bad_descriptor;
    // No more texts than ticks, or one could make us keep views of nothing for long.
    if (symbols == 0 || symbols > is_.ticks || sources > is_.ticks) return segment_error::bad_text;

    const std::size_t bitmap_bytes = (is_.ticks + 7) / 8;
    is_.metadata_bits = is_.metadata == presence::some ? from.take(bitmap_bytes) : nullptr;
    is_.volume_bits = (is_.volume.flags & flag_bitmap) != 0 ? from.take(bitmap_bytes) : nullptr;
    const auto take_texts = [&](texts& of, std::size_t count) {
        of.entries.clear();
        for (std::size_t i = 0; i < count && from.good(); ++i) {
            const auto length = from.get<std::uint8_t>();
            if (const char* at = from.take(length)) of.entries.emplace_back(at, length);
        }
    };
    take_texts(is_.symbol, symbols);
    take_texts(is_.source, sources);
    for (numbers* each : {&is_.time, &is_.bid, &is_.ask, &is_.mid, &is_.volume}) {
        each->slots = from.take(std::size_t{each->width} * is_.ticks);
    }
    for (texts* each : {&is_.symbol, &is_.source}) {
        each->slots = from.take(std::size_t{each->width} * is_.ticks);
    }
    if (!from.good()) return segment_error::truncated;
    if (from.left() != 0) return segment_error::trailing_bytes;

    for (const numbers* each : {&is_.time, &is_.bid, &is_.ask, &is_.mid, &is_.volume}) {
        if (each->kind == column_kind::steps && !first_is_zero(each->slots, each->width)) {
            return segment_error::bad_descriptor;
        }
    }
    for (const std::string_view symbol : is_.symbol.entries) {
        if (symbol.empty()) return segment_error::bad_text;
    }
    if (const auto error = check_texts(is_.symbol, false)) return error;
    if (const auto error = check_texts(is_.source, true)) return error;
    return check_time();
}

std::optional<segment_error> segment_decoder::check_texts(const texts& of, bool may_lack) const {
    if (of.width == 0) return std::nullopt;
    const std::size_t end = of.entries.size() + (may_lack ? 1 : 0);
    std::size_t highest = 0;
    with_slots(of.width, of.slots, [&](auto slot) {
        for (std::size_t i = 0; i < is_.ticks; ++i) {
            const auto number = static_cast<std::size_t>(slot(i));
            highest = number > highest ? number : highest;
        }
    });
    return highest < end ? std::nullopt : std::optional{segment_error::bad_text};
}

// Times never go back, and the last one is in range: so all are.
std::optional<segment_error> segment_decoder::check_time() {
    const numbers& time = is_.time;
    if (time.width > 8 || time.exponent > 18 || time.step < 0) {
        return segment_error::bad_descriptor;
    }
    uint128 slots = 0;
    with_slots(time.width, time.slots, [&](auto slot) {
        if constexpr (sizeof(slot(0)) <= 4) {
            std::uint64_t sum = 0;  // of 4,096 times 2^32
            for (std::size_t i = 0; i < is_.ticks; ++i) sum += static_cast<std::uint64_t>(slot(i));
            slots = sum;
        } else {
            for (std::size_t i = 0; i < is_.ticks; ++i) slots += slot(i);
        }
    });
    constexpr auto apart_limit = static_cast<uint128>(2 * time_limit_us);
    if (time.base <= -time_limit_us || time.base >= time_limit_us || slots > apart_limit ||
        time.step > 2 * time_limit_us) {
        return segment_error::out_of_range;
    }
    const int128 apart = static_cast<int128>(slots * powers_of_ten[time.exponent]) +
                         int128{time.step} * (is_.ticks - 1);
    if (time.base + apart >= time_limit_us) return segment_error::out_of_range;
    is_.last_time_us = static_cast<std::int64_t>(time.base + apart);
    return std::nullopt;
}

// One view a tick, empty for those without.
std::optional<segment_error> segment_decoder::split_metadata(std::string_view metadata) {
    metadata_.assign(is_.ticks, {});
    if (is_.metadata == presence::none) {
        return metadata.empty() ? std::nullopt : std::optional{segment_error::metadata_mismatch};
    }
    taker from(metadata);
    const auto version = from.get<std::uint8_t>();
    if (from.good() && version != segment_metadata_version) return segment_error::unknown_version;
    const auto count = from.get<std::uint32_t>();
    const char* const lengths = from.take(std::size_t{count} * 4);
    if (!from.good()) return segment_error::metadata_mismatch;
    std::uint32_t taken = 0;
    for (std::size_t i = 0; i < is_.ticks; ++i) {
        const bool has =
            is_.metadata_bits == nullptr ||
            (std::uint32_t{static_cast<unsigned char>(is_.metadata_bits[i / 8])} >> (i % 8) & 1U) !=
                0;
        if (!has) continue;
        if (taken == count) return segment_error::metadata_mismatch;
        const auto length = slot_at<std::uint32_t>(lengths, taken++);
        const char* const text = from.take(length);
        if (text == nullptr) return segment_error::metadata_mismatch;
        metadata_[i] = {text, length};
    }
    const bool whole = taken == count && from.left() == 0;
    return whole ? std::nullopt : std::optional{segment_error::metadata_mismatch};
}

}  // namespace ingest
