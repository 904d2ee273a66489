#include "ingest/frame_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "ingest/record_parser.h"

namespace ingest {

namespace {

[[nodiscard]] std::string_view without_cr(std::string_view line) noexcept {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

// Two bytes for `\r\n` behind the longest line, and one whole read behind those, so that the end
// of a long line does not arrive in reads of a few bytes.
frame_buffer::frame_buffer(std::size_t line_bytes_max)
    : line_bytes_max_(line_bytes_max), capacity_max_(line_bytes_max + 2 + limits::read_bytes) {
    move_to(limits::read_bytes);
}

std::span<char> frame_buffer::room() {
    assert_sane();
    // Only a newline or `\r\n` could still follow a line of line_bytes_max_ + 1 bytes. Decided here
    // and not in next(), because it reuses kept_, which a frame may still point to.
    if (!skipping_ && scanned_ == received_ && pending_bytes() > line_bytes_max_ + 1) {
        skipping_ = true;
        skipped_ = 0;
        kept_.clear();
        skip({bytes_.get() + taken_, pending_bytes()});
        taken_ = scanned_ = received_;
    }
    const std::size_t pending = pending_bytes();
    if (capacity_ > limits::read_bytes && pending <= limits::read_bytes / 2) {
        move_to(limits::read_bytes);
    } else if (capacity_ - pending < limits::read_bytes / 4 && capacity_ < capacity_max_) {
        move_to(std::min(2 * capacity_, capacity_max_));
    } else if (taken_ != 0) {
        if (pending != 0) std::memmove(bytes_.get(), bytes_.get() + taken_, pending);
        scanned_ -= taken_;
        received_ = pending;
        taken_ = 0;
    }
    assert_sane();
    return {bytes_.get() + received_, std::min(capacity_ - received_, limits::read_bytes)};
}

void frame_buffer::received(std::size_t bytes) noexcept {
    received_ += bytes;
    assert_sane();
}

std::optional<frame> frame_buffer::next() {
    while (scanned_ < received_) {
        const char* const found = static_cast<const char*>(
            std::memchr(bytes_.get() + scanned_, '\n', received_ - scanned_));
        if (found == nullptr) {
            scanned_ = received_;
            if (skipping_) {
                skip({bytes_.get() + taken_, pending_bytes()});
                taken_ = received_;
            }
            break;
        }
        const std::string_view line(bytes_.get() + taken_, found);
        taken_ = scanned_ = static_cast<std::size_t>(found - bytes_.get()) + 1;
        assert_sane();
        if (skipping_) {
            skip(line);
            return end_of_skipped();
        }
        const std::string_view text = without_cr(line);
        if (!text.empty()) return frame_of(text);
    }
    assert_sane();
    return std::nullopt;
}

std::optional<frame> frame_buffer::finish() {
    const std::string_view rest(bytes_.get() + taken_, pending_bytes());
    taken_ = scanned_ = received_;
    assert_sane();
    if (skipping_) {
        skip(rest);
        return end_of_skipped();
    }
    const std::string_view text = without_cr(rest);
    if (text.empty()) return std::nullopt;
    // As behind any other line. There is padding at the least.
    bytes_[received_] = '\n';
    return frame_of(text);
}

frame frame_buffer::frame_of(std::string_view line) const noexcept {
    const bool too_long = line.size() > line_bytes_max_;
    return {.line = too_long ? line.substr(0, limits::too_long_kept_bytes) : line,
            .length = line.size(),
            .too_long = too_long};
}

void frame_buffer::skip(std::string_view part) {
    if (part.empty()) return;
    if (kept_.size() < limits::too_long_kept_bytes) {
        kept_.append(part.substr(0, limits::too_long_kept_bytes - kept_.size()));
    }
    skipped_ += part.size();
    skipped_cr_ = part.back() == '\r';
}

std::optional<frame> frame_buffer::end_of_skipped() {
    skipping_ = false;
    if (skipped_cr_) {
        if (kept_.size() == skipped_) kept_.pop_back();
        --skipped_;
    }
    return frame{.line = kept_, .length = skipped_, .too_long = true};
}

void frame_buffer::move_to(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity + line_padding_bytes);
    const std::size_t pending = pending_bytes();
    if (pending != 0) std::memcpy(bytes.get(), bytes_.get() + taken_, pending);
    std::memset(bytes.get() + capacity, 0, line_padding_bytes);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    scanned_ -= taken_;
    received_ = pending;
    taken_ = 0;
    assert_sane();
}

void frame_buffer::assert_sane() const noexcept {
    assert(taken_ <= scanned_);
    assert(scanned_ <= received_);
    assert(received_ <= capacity_);
    assert(capacity_ <= capacity_max_);
}

}  // namespace ingest
