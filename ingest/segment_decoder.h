// Unpacks segments. What they hold is not trusted: whatever the bytes are, the answer is their
// ticks or why they are no segment.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/segment_format.h"
#include "ingest/tick_columns.h"

namespace ingest {

enum class segment_error : std::uint8_t {
    unknown_version,    // written by a newer tickd
    truncated,          // ends before its columns do
    trailing_bytes,     // goes on behind them
    bad_count,          // no ticks, or more than segment_ticks_max
    bad_descriptor,     // a kind, flag, width or exponent that there is not
    bad_text,           // a text's number without the text, or a tick without symbol
    out_of_range,       // a time, price or volume beyond what its column in a table holds
    metadata_mismatch,  // the metadata are not those of this segment
};
// As a person is told.
[[nodiscard]] std::string_view to_string(segment_error error) noexcept;

// Which ticks of a segment are wanted.
struct segment_filter {
    std::optional<std::string_view> symbol;  // none: all
    std::int64_t from_us = std::numeric_limits<std::int64_t>::min();
    std::int64_t to_us = std::numeric_limits<std::int64_t>::max();  // exclusive
};

// A reader, kept for its memory. Not for two threads at a time.
class segment_decoder {
public:
    // Appends the wanted ticks, in the segment's order, and gives their number. A segment that is
    // wanted whole costs a loop a column. After an error `into` is as it was.
    [[nodiscard]] std::expected<std::uint32_t, segment_error> append(std::string_view data,
                                                                     const segment_filter& wanted,
                                                                     tick_columns& into);

    // The same with the ticks' metadata: `metadata` is that column of the segment's row, empty for
    // NULL. To be called for all segments that go into `into`, or for none.
    [[nodiscard]] std::expected<std::uint32_t, segment_error> append_with_metadata(
        std::string_view data, std::string_view metadata, const segment_filter& wanted,
        tick_columns& into);

private:
    // A column of numbers as its descriptor has it, and where its slots are.
    struct numbers {
        column_kind kind;
        std::uint8_t flags, width, exponent;
        int128 base;
        std::int64_t step;
        const char* slots;
    };
    struct texts {
        std::uint8_t width;
        const char* slots;
        std::vector<std::string_view> entries;
    };
    struct parsed {
        std::uint32_t ticks;
        presence metadata;
        const char *metadata_bits, *volume_bits;
        numbers time, bid, ask, mid, volume;
        texts symbol, source;
        std::int64_t last_time_us;
    };

    [[nodiscard]] std::optional<segment_error> parse(std::string_view data);
    [[nodiscard]] std::optional<segment_error> check_texts(const texts& of, bool may_lack) const;
    [[nodiscard]] std::optional<segment_error> check_time();
    [[nodiscard]] std::optional<segment_error> split_metadata(std::string_view metadata);
    [[nodiscard]] std::optional<segment_error> append_all(tick_columns& into);
    [[nodiscard]] bool append_prices(tick_columns& into);
    [[nodiscard]] bool append_volumes(tick_columns& into);
    void append_times(tick_columns& into) const;
    void append_texts(const texts& of, std::size_t old_size, text_column& into);
    [[nodiscard]] std::uint32_t append_wanted(const segment_filter& wanted, tick_columns& into);
    [[nodiscard]] std::expected<std::uint32_t, segment_error> append_parsed(
        const segment_filter& wanted, tick_columns& into, bool with_metadata);
    [[nodiscard]] bool unpack_wide(const numbers& of, std::vector<int128>& values) const;

    parsed is_{};
    std::vector<std::string_view> metadata_;  // a view a tick
    std::vector<int128> wide_bid_, wide_ask_, wide_mid_;
    std::vector<std::uint32_t> text_numbers_;
    tick_columns cut_;  // a segment of which not all is wanted
};

}  // namespace ingest
