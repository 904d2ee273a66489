#include "daemon/send/input_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <string_view>
#include <utility>

namespace tickd {

namespace {

constexpr std::size_t stored_room = line_source::read_bytes;

bool is_gzip_start(const char* bytes) { return bytes[0] == '\x1F' && bytes[1] == '\x8B'; }

}  // namespace

std::expected<std::unique_ptr<input_stream>, source_error> input_stream::open(
    const std::string& name, int stop_fd) {
    const bool is_stdin = name == "-";
    const int fd = is_stdin ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (fd < 0 || ::fstat(fd, &status) != 0) {
        return std::unexpected{source_error{source_fault::unreadable,
                                            std::format("{}: {}", name, std::strerror(errno))}};
    }
    const bool waits = !S_ISREG(status.st_mode);
    return std::unique_ptr<input_stream>{new input_stream{name, fd, waits, stop_fd}};
}

input_stream::input_stream(std::string name, int fd, bool waits, int stop_fd)
    : name_{std::move(name)},
      fd_{fd},
      waits_{waits},
      stop_fd_{stop_fd},
      stored_{std::make_unique_for_overwrite<char[]>(stored_room)} {}

input_stream::~input_stream() {
    if (gzip_open_) inflateEnd(&gzip_);
    if (fd_ != STDIN_FILENO) ::close(fd_);
}

source_error input_stream::fault(source_fault what, std::string_view message) const {
    return {what, std::format("{}: {}", name_ == "-" ? "stdin" : name_, message)};
}

std::expected<std::size_t, source_error> input_stream::read_stored(std::span<char> into) {
    for (;;) {
        if (stop_fd_ >= 0) {
            std::array<pollfd, 2> polled{{{stop_fd_, POLLIN, 0}, {fd_, POLLIN, 0}}};
            const int ready = ::poll(polled.data(), waits_ ? 2 : 1, waits_ ? -1 : 0);
            if (ready < 0 && errno == EINTR) continue;
            if ((polled[0].revents & POLLIN) != 0) {
                return std::unexpected{fault(source_fault::stopped, "stopped")};
            }
        }
        const ssize_t received = ::read(fd_, into.data(), into.size());
        if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (received < 0) {
            return std::unexpected{fault(source_fault::broken_off, std::strerror(errno))};
        }
        stored_bytes_ += static_cast<std::uint64_t>(received);
        return static_cast<std::size_t>(received);
    }
}

// Reads more stored bytes behind those not yet used, which move to the front.
std::expected<void, source_error> input_stream::fill_stored() {
    std::memmove(stored_.get(), stored_.get() + used_, filled_ - used_);
    filled_ -= used_;
    used_ = 0;
    const auto received = read_stored({stored_.get() + filled_, stored_room - filled_});
    if (!received) return std::unexpected{received.error()};
    filled_ += *received;
    at_end_ = *received == 0;
    return {};
}

std::expected<void, source_error> input_stream::find_form() {
    while (!at_end_ && (filled_ == 0 || (filled_ == 1 && stored_[0] == '\x1F'))) {
        if (const auto filled = fill_stored(); !filled) return filled;
    }
    if (filled_ >= 2 && is_gzip_start(stored_.get())) {
        form_ = form::gzip;
        return {};
    }
    if (filled_ != 0 && name_.ends_with(".gz")) {
        return std::unexpected{fault(source_fault::bad_data, "is not gzip, for all its name")};
    }
    form_ = form::plain;
    return {};
}

std::expected<std::size_t, source_error> input_stream::read(std::span<char> into) {
    if (form_ == form::unknown) {
        if (const auto found = find_form(); !found) return std::unexpected{found.error()};
    }
    if (form_ == form::gzip) return inflate_into(into);
    if (used_ == filled_) return at_end_ ? 0 : read_stored(into);
    const std::size_t bytes = std::min(into.size(), filled_ - used_);
    std::memcpy(into.data(), stored_.get() + used_, bytes);
    used_ += bytes;
    return bytes;
}

// Begins the next gzip member (a file may hold several, one behind the other). False: the end.
std::expected<bool, source_error> input_stream::next_member() {
    // Zeros may pad the end, as on tapes.
    while (gzip_open_ && (used_ < filled_ || !at_end_)) {
        while (used_ < filled_ && stored_[used_] == '\0') ++used_;
        if (filled_ - used_ >= 2 || at_end_) break;
        if (const auto filled = fill_stored(); !filled) return std::unexpected{filled.error()};
    }
    if (used_ == filled_ && at_end_) return false;
    if (filled_ - used_ < 2 || !is_gzip_start(stored_.get() + used_)) {
        return std::unexpected{
            fault(source_fault::bad_data, "something that is not gzip follows the gzip data")};
    }
    // 16: a gzip header and trailer around the data.
    const int ready = gzip_open_ ? inflateReset(&gzip_) : inflateInit2(&gzip_, 16 + MAX_WBITS);
    if (ready != Z_OK) {
        return std::unexpected{fault(source_fault::broken_off, "no memory to undo gzip")};
    }
    gzip_open_ = true;
    in_member_ = true;
    return true;
}

std::expected<std::size_t, source_error> input_stream::inflate_into(std::span<char> into) {
    for (;;) {
        if (!in_member_) {
            const auto began = next_member();
            if (!began) return std::unexpected{began.error()};
            if (!*began) return 0;
        }
        if (used_ == filled_) {
            if (const auto filled = fill_stored(); !filled) return std::unexpected{filled.error()};
            if (at_end_) return std::unexpected{fault(source_fault::bad_data, "is cut short")};
        }
        gzip_.next_in = reinterpret_cast<Bytef*>(stored_.get() + used_);
        gzip_.avail_in = static_cast<uInt>(filled_ - used_);
        gzip_.next_out = reinterpret_cast<Bytef*>(into.data());
        gzip_.avail_out = static_cast<uInt>(into.size());
        const int result = inflate(&gzip_, Z_NO_FLUSH);
        used_ = filled_ - gzip_.avail_in;
        const std::size_t bytes = into.size() - gzip_.avail_out;
        if (result == Z_STREAM_END) {
            in_member_ = false;
        } else if (result != Z_OK && result != Z_BUF_ERROR && bytes == 0) {
            // What came out before the damage was handed on by the call before this one.
            return std::unexpected{fault(source_fault::bad_data, "damaged gzip data")};
        }
        if (bytes != 0) return bytes;
    }
}

}  // namespace tickd
