// Cuts a byte stream into lines.
//
//     | taken | lines still to take ... unfinished line | room | padding |
//     0     taken_                                  received_  capacity_
//
// Invariant: 0 <= taken_ <= scanned_ <= received_ <= capacity_. `line_padding_bytes` behind
// capacity_ are always readable, so the parser may read past any line. A newline or `\r\n` lies
// behind each.
// A line over the limit is not held: its first 4 KiB are kept, the rest is skipped up to the
// newline, and it is reported once, with its whole length. It is not for the parser: nothing is
// promised about the bytes behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/limits.h"

namespace ingest {

struct frame {
    std::string_view line;     // without `\n` or `\r\n`; never empty
    std::uint64_t length = 0;  // of the whole line, in bytes; line.size() unless too_long
    bool too_long = false;     // over the limit: `line` holds at most its first 4 KiB
};

class frame_buffer {
public:
    // The buffer starts at one read's size, grows to at most one longest line and one read, and
    // shrinks again once a long line has left it.
    explicit frame_buffer(std::size_t line_bytes_max = limits::line_bytes_default);

    // Where to read into: at least one byte, up to limits::read_bytes. Invalidates frames taken.
    [[nodiscard]] std::span<char> room();
    // `bytes` of the last room() now hold data.
    void received(std::size_t bytes) noexcept;

    // The next complete line; blank lines (and a lone `\r`) are passed over. Nothing: read more.
    // The frame is good until room() or finish() is called.
    [[nodiscard]] std::optional<frame> next();

    // The stream has ended and next() has nothing more: what remains without a newline, if
    // anything. The buffer is empty afterwards; the frame is good until room() is called.
    [[nodiscard]] std::optional<frame> finish();

    // Bytes received and not yet taken, those of a line being skipped excepted.
    [[nodiscard]] std::size_t pending_bytes() const noexcept { return received_ - taken_; }

private:
    [[nodiscard]] frame frame_of(std::string_view line) const noexcept;
    [[nodiscard]] std::optional<frame> end_of_skipped();
    void skip(std::string_view part);
    void move_to(std::size_t capacity);
    void assert_sane() const noexcept;

    std::size_t line_bytes_max_;
    std::size_t capacity_max_;
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t taken_ = 0;
    std::size_t scanned_ = 0;  // no newline in [taken_, scanned_)
    std::size_t received_ = 0;
    bool skipping_ = false;      // inside a line that is too long
    bool skipped_cr_ = false;    // the last byte skipped is a `\r`
    std::uint64_t skipped_ = 0;  // bytes of that line seen so far
    std::string kept_;           // its first 4 KiB
};

}  // namespace ingest
