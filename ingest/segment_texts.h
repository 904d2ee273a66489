// The distinct texts of a segment that is being made: its symbols, or its sources.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ingest/byte_buffer.h"
#include "ingest/segment_range.h"

namespace ingest {

class segment_texts {
public:
    static constexpr std::uint32_t unknown = 0xFFFF'FFFF;

    segment_texts();

    // The text's number, or `unknown`. Fast when it is the one found last.
    [[nodiscard]] std::uint32_t find(std::string_view text) noexcept;
    // Adds a text of at most 255 bytes that is not there, and gives its number.
    std::uint32_t add(std::string_view text);
    void remove_last() noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint32_t count() const noexcept {
        return static_cast<std::uint32_t>(entries_.size());
    }
    // The bytes of a number when it is one of these, or, for a tick without a text, count().
    [[nodiscard]] std::uint8_t width(bool some_without) const noexcept {
        return count() == 0 ? std::uint8_t{0} : width_of(count() - (some_without ? 0U : 1U));
    }
    // As they are written: each a byte that holds its length, and the text.
    [[nodiscard]] std::string_view written() const noexcept { return bytes_.view(); }

private:
    struct entry {
        std::uint32_t offset;
        std::uint32_t place;  // in places_
    };
    [[nodiscard]] std::string_view text(const entry& of) const noexcept;
    [[nodiscard]] std::uint32_t place_of(std::string_view text) const noexcept;

    byte_buffer bytes_;
    std::vector<entry> entries_;
    std::vector<std::uint16_t> places_;  // open addressing; 0 is free, else the entry's number + 1
    std::uint32_t last_ = 0;
};

}  // namespace ingest
