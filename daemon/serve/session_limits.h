// What a session is held to. Rates are kept by reading it later: TCP makes its sender wait, and
// nobody else pays.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ingest/rate_limit.h"

namespace tickd {

// Lines and bytes a second of a session, a tenant or a listener: of all its sessions together,
// whatever their lanes. Any thread.
class flow_limit {
public:
    // Nothing: as many as come.
    flow_limit(std::optional<std::uint64_t> lines_per_second,
               std::optional<std::uint64_t> bytes_per_second) {
        if (lines_per_second) lines_.emplace(*lines_per_second);
        if (bytes_per_second) bytes_.emplace(*bytes_per_second);
    }
    // The microseconds to wait before more is read.
    [[nodiscard]] std::int64_t take(std::uint64_t lines, std::uint64_t bytes, std::int64_t now_us) {
        return std::max(lines_ ? lines_->take(lines, now_us) : 0,
                        bytes_ ? bytes_->take(bytes, now_us) : 0);
    }

    // What flows in within `span`, in bytes, when lines are of that length; SIZE_MAX without a
    // limit.
    [[nodiscard]] std::size_t bytes_within(std::chrono::microseconds span,
                                           std::size_t line_bytes) const {
        const double seconds = std::chrono::duration<double>(span).count();
        double most = static_cast<double>(SIZE_MAX / 2);
        const double unlimited = most;
        if (lines_) {
            most = std::min(most, static_cast<double>(lines_->per_second()) * seconds *
                                      static_cast<double>(line_bytes));
        }
        if (bytes_) most = std::min(most, static_cast<double>(bytes_->per_second()) * seconds);
        return most == unlimited ? SIZE_MAX : static_cast<std::size_t>(most);
    }

private:
    std::optional<ingest::rate_limit> lines_, bytes_;
};

struct session_limits {
    std::vector<std::shared_ptr<flow_limit>> flows;  // none of them null
    std::optional<std::chrono::microseconds> idle;   // without a byte, and nothing owed to it
    std::optional<std::uint64_t> unacked_bytes;      // of lines neither committed nor in the spool
};

}  // namespace tickd
