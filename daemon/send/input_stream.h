// One input, a file or stdin, as the bytes that are in it once gzip is undone.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "daemon/send/line_source.h"

namespace tickd {

// Used by one thread. Not moved: zlib's state points back at it.
class input_stream {
public:
    // `-` is stdin, which stays open. `stop_fd` as in line_source::open.
    [[nodiscard]] static std::expected<std::unique_ptr<input_stream>, source_error> open(
        const std::string& name, int stop_fd);

    input_stream(const input_stream&) = delete;
    input_stream& operator=(const input_stream&) = delete;
    ~input_stream();

    // Bytes put into `into`, which is not empty; 0: the end. Waits only while there are none.
    [[nodiscard]] std::expected<std::size_t, source_error> read(std::span<char> into);

    // Stored bytes that what was read so far came from.
    [[nodiscard]] std::uint64_t stored_bytes_used() const noexcept {
        return stored_bytes_ - (filled_ - used_);
    }

private:
    enum class form : std::uint8_t { unknown, plain, gzip };

    input_stream(std::string name, int fd, bool waits, int stop_fd);

    // Stored bytes as they are; 0: the end.
    [[nodiscard]] std::expected<std::size_t, source_error> read_stored(std::span<char> into);
    [[nodiscard]] std::expected<void, source_error> fill_stored();
    [[nodiscard]] std::expected<void, source_error> find_form();
    [[nodiscard]] std::expected<std::size_t, source_error> inflate_into(std::span<char> into);
    [[nodiscard]] std::expected<bool, source_error> next_member();
    [[nodiscard]] source_error fault(source_fault what, std::string_view message) const;

    std::string name_;
    int fd_;
    bool waits_;  // a pipe or terminal, whose reads may wait for ever
    int stop_fd_;
    std::uint64_t stored_bytes_ = 0;
    form form_ = form::unknown;
    std::unique_ptr<char[]> stored_;  // read and not yet used: stored_[used_, filled_)
    std::size_t used_ = 0;
    std::size_t filled_ = 0;
    bool at_end_ = false;
    z_stream gzip_{};
    bool gzip_open_ = false;  // gzip_ holds memory
    bool in_member_ = false;  // between a gzip member's header and its trailer
};

}  // namespace tickd
