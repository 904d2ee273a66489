// NDJSON files, plain or gzip, one after the other, or stdin: as runs of whole lines.
//
// What is held is one read and the line it broke off in, never a file. Gzip is told by its first
// two bytes, which no JSON text begins with, so it works on stdin too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/byte_buffer.h"

namespace tickd {

class input_stream;

enum class source_fault : std::uint8_t {
    unreadable,  // an input does not exist or may not be read
    broken_off,  // reading failed midway
    bad_data,    // gzip data that is damaged or cut short
    stopped,     // the stop descriptor became readable
};

struct source_error {
    source_fault fault = source_fault::unreadable;
    std::string message;  // names the input
};

// Whole lines, each with its line end, one behind the other. Empty bytes: everything was read.
struct line_run {
    std::string_view bytes;     // good until the next call
    std::uint64_t records = 0;  // lines that are not blank (empty or a lone `\r`)
    bool ends_line = true;      // false: a piece of a line too long to hold; more of it follows
};

// Used by one thread.
class line_source {
public:
    // One read, and so the usual size of a run.
    static constexpr std::size_t read_bytes = std::size_t{256} * 1024;
    // A longer line comes in pieces. No daemon accepts one this long.
    static constexpr std::size_t line_bytes_max = std::size_t{16} * 1024 * 1024;

    // Checks that every input can be read and reads nothing. `-` is stdin. `stop_fd`: becomes
    // readable when waiting for input is to end; -1: none; stays the caller's.
    [[nodiscard]] static std::expected<line_source, source_error> open(
        std::vector<std::string> inputs, int stop_fd = -1);

    line_source(line_source&&) noexcept;
    line_source& operator=(line_source&&) noexcept;
    ~line_source();

    // The next lines, at least one and at most `records_max` records, as soon as there is one.
    // The last line of an input gets the line end it may lack. Lines before damage come first,
    // then the error, which stays.
    [[nodiscard]] std::expected<line_run, source_error> next(std::uint64_t records_max);

    // Bytes of the inputs as they are stored (compressed) that the runs so far came from, as near
    // as can be told; exact at the end.
    [[nodiscard]] std::uint64_t stored_bytes_read() const noexcept;
    // Their sum; nothing when an input's size is not known before its end.
    [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const noexcept;
    // The input that is being read, as it was named.
    [[nodiscard]] const std::string& current_input() const noexcept;

private:
    line_source(std::vector<std::string> inputs, std::optional<std::uint64_t> total, int stop_fd);

    [[nodiscard]] std::expected<bool, source_error> refill();
    [[nodiscard]] std::optional<line_run> take_lines(std::uint64_t records_max);
    [[nodiscard]] line_run take_piece();
    void end_last_line();

    std::vector<std::string> inputs_;
    std::optional<std::uint64_t> total_;
    int stop_fd_;
    std::size_t current_ = 0;  // index into inputs_
    std::unique_ptr<input_stream> stream_;
    std::uint64_t stream_bytes_ = 0;    // that stream_ has given, gzip undone
    std::uint64_t finished_bytes_ = 0;  // stored bytes of the inputs before the current one
    std::optional<source_error> error_;

    // | taken | lines to take ... unfinished line |      0 <= taken_ <= scanned_ <= buffer_.size()
    // No line end in the unfinished line, which begins at taken_ when scanned_ is beyond it.
    ingest::byte_buffer buffer_;
    std::size_t taken_ = 0;
    std::size_t scanned_ = 0;
    bool inside_line_ = false;  // the last run was a piece of a line
};

}  // namespace tickd
