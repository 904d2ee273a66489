// The lines an acked producer has numbered and may have to send again: a queue bounded in bytes.
// Pure; it knows sequences and bytes, no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "ingest/byte_buffer.h"

namespace tickd {

class unacked_lines {
public:
    explicit unacked_lines(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    [[nodiscard]] bool full() const noexcept { return bytes_ >= bytes_max_; }
    [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }
    [[nodiscard]] std::size_t count() const noexcept { return lines_.size(); }
    [[nodiscard]] std::uint64_t newest_seq() const noexcept { return newest_seq_; }

    // Numbers one line (without its end) and keeps it. A line that has a `seq` of its own keeps
    // it, if it is beyond the newest; otherwise `"seq":N` becomes its first member. A line that is
    // no object is kept with the number it would have had, for the daemon to refuse.
    void add(std::string_view line);
    // Everything up to `seq` is settled. Gives the number of lines that were dropped for it.
    std::size_t settle(std::uint64_t seq);

    // The connection is new: everything kept is to be sent again, from the oldest on.
    void rewind() noexcept;
    // The next line to send, with its end; empty when all were sent. Good until settle or add.
    [[nodiscard]] std::string_view next() const noexcept;
    // That line has gone. True: it had gone before, on an earlier connection.
    bool sent();
    [[nodiscard]] bool all_sent() const noexcept { return next_ == lines_.size(); }

private:
    struct kept {
        std::uint64_t seq;
        std::string text;
        bool sent_before;
    };
    std::deque<kept> lines_;
    std::size_t next_ = 0;  // index of the line to send next
    std::size_t bytes_ = 0;
    std::size_t bytes_max_;
    std::uint64_t newest_seq_ = 0;
};

}  // namespace tickd
