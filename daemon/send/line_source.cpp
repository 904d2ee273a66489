#include "daemon/send/line_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <format>
#include <utility>

#include "daemon/send/input_stream.h"

namespace tickd {

namespace {

bool is_blank(std::string_view line_with_end) {
    return line_with_end == "\n" || line_with_end == "\r\n";
}

// The size of a file; nothing for a pipe or the like; or why it cannot be read.
std::expected<std::optional<std::uint64_t>, source_error> stored_size(const std::string& name) {
    const auto unreadable = [&](int error) {
        return std::unexpected{source_error{source_fault::unreadable,
                                            std::format("{}: {}", name, std::strerror(error))}};
    };
    struct stat status{};
    const bool is_stdin = name == "-";
    const int found = is_stdin ? ::fstat(STDIN_FILENO, &status) : ::stat(name.c_str(), &status);
    if (found != 0) return unreadable(errno);
    if (S_ISDIR(status.st_mode)) return unreadable(EISDIR);
    // By the rights this process acts with, which are the ones that open asks.
    if (!is_stdin && ::faccessat(AT_FDCWD, name.c_str(), R_OK, AT_EACCESS) != 0) {
        return unreadable(errno);
    }
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

std::expected<line_source, source_error> line_source::open(std::vector<std::string> inputs,
                                                           int stop_fd) {
    std::optional<std::uint64_t> total = 0;
    for (const std::string& each : inputs) {
        const auto size = stored_size(each);
        if (!size) return std::unexpected{size.error()};
        const std::optional<std::uint64_t> bytes = *size;
        if (total && bytes) {
            total = *total + *bytes;
        } else {
            total.reset();
        }
    }
    return line_source{std::move(inputs), total, stop_fd};
}

line_source::line_source(std::vector<std::string> inputs, std::optional<std::uint64_t> total,
                         int stop_fd)
    : inputs_{std::move(inputs)}, total_{total}, stop_fd_{stop_fd} {}
line_source::line_source(line_source&&) noexcept = default;
line_source& line_source::operator=(line_source&&) noexcept = default;
line_source::~line_source() = default;

std::expected<line_run, source_error> line_source::next(std::uint64_t records_max) {
    assert(records_max > 0);
    for (;;) {
        if (auto run = take_lines(records_max)) return *run;
        if (buffer_.size() - taken_ >= line_bytes_max) return take_piece();
        if (error_) return std::unexpected{*error_};
        auto more = refill();
        if (!more) {
            // Whether a broken line went on is not known: it is not passed off as a whole one.
            buffer_.truncate(scanned_ = taken_);
            error_ = std::move(more.error());
        } else if (!*more) {
            return line_run{};
        }
    }
}

// Lines that end within the buffer; nothing when none does.
std::optional<line_run> line_source::take_lines(std::uint64_t records_max) {
    const char* const bytes = buffer_.data();
    line_run run;
    std::size_t line_begin = taken_;
    while (run.records < records_max && scanned_ < buffer_.size()) {
        const void* const found = std::memchr(bytes + scanned_, '\n', buffer_.size() - scanned_);
        if (found == nullptr) {
            scanned_ = buffer_.size();
            break;
        }
        const auto line_end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes) + 1;
        const bool blank =
            !inside_line_ && is_blank(buffer_.view(line_begin, line_end - line_begin));
        if (!blank) ++run.records;
        inside_line_ = false;
        line_begin = scanned_ = line_end;
    }
    if (line_begin == taken_) return std::nullopt;
    run.bytes = buffer_.view(taken_, line_begin - taken_);
    taken_ = line_begin;
    return run;
}

line_run line_source::take_piece() {
    const line_run run{
        .bytes = buffer_.view(taken_, buffer_.size() - taken_), .records = 0, .ends_line = false};
    taken_ = scanned_ = buffer_.size();
    inside_line_ = true;
    return run;
}

// More bytes in the buffer, or false when every input has been read to its end.
std::expected<bool, source_error> line_source::refill() {
    if (taken_ != 0) {
        const std::size_t left = buffer_.size() - taken_;
        std::memmove(buffer_.data(), buffer_.data() + taken_, left);
        buffer_.truncate(left);
        scanned_ -= taken_;
        taken_ = 0;
    }
    if (!stream_) {
        if (current_ == inputs_.size()) return false;
        auto opened = input_stream::open(inputs_[current_], stop_fd_);
        if (!opened) return std::unexpected{opened.error()};
        stream_ = *std::move(opened);
        stream_bytes_ = 0;
    }
    const std::size_t held = buffer_.size();
    char* const room = buffer_.extend(read_bytes);
    auto received = stream_->read({room, read_bytes});
    buffer_.truncate(held + received.value_or(0));
    if (!received) return std::unexpected{std::move(received.error())};
    stream_bytes_ += *received;
    if (*received == 0) {
        end_last_line();
        finished_bytes_ += stream_->stored_bytes_used();
        stream_.reset();
        ++current_;
    }
    return true;
}

void line_source::end_last_line() {
    if (buffer_.size() != taken_ || inside_line_) buffer_.push_back('\n');
}

std::uint64_t line_source::stored_bytes_read() const noexcept {
    if (!stream_ || stream_bytes_ == 0) return finished_bytes_;
    // What waits in the buffer is taken to be packed as well as all of the input so far.
    const auto waiting = static_cast<double>(buffer_.size() - taken_);
    const double share = 1 - waiting / static_cast<double>(stream_bytes_);
    const auto used = static_cast<double>(stream_->stored_bytes_used());
    return finished_bytes_ + static_cast<std::uint64_t>(share > 0 ? used * share : 0);
}

std::optional<std::uint64_t> line_source::stored_bytes_total() const noexcept { return total_; }

const std::string& line_source::current_input() const noexcept {
    static const std::string none;
    if (inputs_.empty()) return none;
    return inputs_[current_ < inputs_.size() ? current_ : inputs_.size() - 1];
}

}  // namespace tickd
