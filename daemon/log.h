// The daemon's log: spdlog's default logger, on stderr. Human and coloured on a terminal, one JSON
// object a line otherwise. Whoever has something to say calls spdlog::info and its kin, or
// log_limited where the same thing may happen a million times.
#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tickd {

// Replaces spdlog's default logger. `level`: trace, debug, info, warn or error; `format`: auto,
// human or json. Both as the configuration checked them; anything else counts as info and auto.
// Not while other threads log.
void start_log(std::string_view level, std::string_view format);

// Change the level or the format alone; any thread, any time.
void set_log_level(std::string_view level);
void set_log_format(std::string_view format);

// One JSON object without a line end: time (RFC 3339, UTC, microseconds), level, thread and
// message. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json_line(const spdlog::details::log_msg& message);

// Replaces control characters other than line end and tab by `\xNN`, so that what a peer sent
// cannot steer a terminal.
[[nodiscard]] std::string printable(std::string_view text);

// Lets through at most `burst` messages per interval and counts the rest. One per call site:
// a static or a member. Any thread.
class log_limiter {
public:
    using clock = std::chrono::steady_clock;

    struct turn {
        bool allowed = false;
        std::uint64_t suppressed = 0;  // when allowed: how many were not, since the last that was
    };

    explicit log_limiter(std::uint32_t burst = 5,
                         std::chrono::milliseconds interval = std::chrono::seconds{10})
        : burst_{burst}, interval_{interval} {}

    [[nodiscard]] turn take(clock::time_point now = clock::now());

private:
    const std::uint32_t burst_;
    const std::chrono::milliseconds interval_;
    std::mutex mutex_;
    clock::time_point begin_{};  // of the current interval
    std::uint32_t allowed_ = 0;  // in the current interval
    std::uint64_t suppressed_ = 0;
};

// Logs when `limiter` allows it, and then says how many like it were left out before. Arguments
// are formatted only then.
template <typename... Args>
void log_limited(log_limiter& limiter, spdlog::level::level_enum level,
                 spdlog::format_string_t<Args...> format, Args&&... args) {
    if (!spdlog::should_log(level)) return;
    const log_limiter::turn turn = limiter.take();
    if (!turn.allowed) return;
    if (turn.suppressed == 0) {
        spdlog::log(level, format, std::forward<Args>(args)...);
        return;
    }
    spdlog::memory_buf_t text;
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    spdlog::log(level, "{} ({} more like it were not logged)",
                std::string_view{text.data(), text.size()}, turn.suppressed);
}

}  // namespace tickd
