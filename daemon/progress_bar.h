// A progress bar on a terminal: label, bar, percent, rate and time left on one line that is drawn
// over itself at most ten times a second. Where stderr is no terminal only the final line appears.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tickd {

// How far a job has come. `done` and `total` may be in other units than `records`: compressed
// bytes of the input, for one.
struct progress {
    std::uint64_t records = 0;  // what the rate counts
    std::uint64_t done = 0;
    std::optional<std::uint64_t> total;  // unknown: no percent and no time left
};

// What is drawn: every text is finished, so that drawing only has to fit them into a width.
struct progress_view {
    std::string label;
    std::optional<double> fraction;  // 0 to 1
    std::string rate;
    std::string eta;
};

// One line of at most `columns` characters, without a line end. What does not fit is left out:
// first the bar shrinks, then it goes, then the label is cut. `utf8` picks block characters.
[[nodiscard]] std::string render(const progress_view& view, std::size_t columns, bool utf8);

// Digits in groups of three: `335,931`.
[[nodiscard]] std::string format_count(std::uint64_t count);
// `0.45 lines/s`, `9.5 lines/s`, `112,345 lines/s`, `12.35 M lines/s`.
[[nodiscard]] std::string format_rate(double per_second, std::string_view unit);
// Time left, rounded up: `0:07`, `1:02:03`, `4 d 5 h`; `-:--` for nothing, negative, not finite.
[[nodiscard]] std::string format_eta(std::optional<double> seconds);
// Time taken: `0.45 s`, `12.3 s`, `1:05`, `1:02:03`.
[[nodiscard]] std::string format_elapsed(double seconds);
// `812 B`, `64.2 KiB`, `65.1 MiB`, `1.2 GiB`.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// True when LC_ALL, LC_CTYPE or LANG (the first that is set) names UTF-8.
[[nodiscard]] bool locale_is_utf8();

// Rate and time left over the last `window`: a stall or a change of pace shows within seconds.
class pace {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds window{5};

    void add(time_point now, const progress& state);
    [[nodiscard]] double records_per_second() const;
    // Seconds until `total` at this pace; nothing when it cannot be told.
    [[nodiscard]] std::optional<double> seconds_left() const;

private:
    struct sample {
        time_point at;
        progress state;
    };
    std::deque<sample> samples_;  // at most ten a second: 52 at most
};

// Used by one thread.
class progress_bar {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds redraw_interval{100};

    // Draws on `fd`, which stays the caller's, if it is a terminal and `wanted`. `unit` is what a
    // record is called in the rate: `lines`, `rows`.
    progress_bar(int fd, bool wanted, std::string unit);
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    // Leaves the terminal's line empty.
    ~progress_bar();

    // Text before the bar; control characters are replaced.
    void set_label(std::string_view label);
    // Cheap unless a redraw is due.
    void update(const progress& state, time_point now = std::chrono::steady_clock::now());
    // Writes `line` and a line end above the bar, which the next update draws again.
    void say(std::string_view line);
    // Removes the bar and writes `line` and a line end, on a terminal or not.
    void finish(std::string_view line);

private:
    void clear();
    void write_text(std::string_view text) const;

    int fd_;
    bool draws_;
    bool utf8_;
    bool drawn_ = false;
    std::string unit_;
    std::string label_;
    pace pace_;
    time_point next_redraw_{};
};

}  // namespace tickd
