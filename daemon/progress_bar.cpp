#include "daemon/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <format>
#include <utility>

#include "daemon/utf8.h"

namespace tickd {

namespace {

constexpr std::size_t bar_columns_min = 8;
constexpr std::size_t bar_columns_max = 40;
constexpr std::size_t label_columns_max = 32;

std::size_t columns_of(std::string_view text) {
    return utf8_characters(text).value_or(text.size());
}

// The first `columns` characters, the last of them a mark when something was cut off.
std::string cut(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns) return std::string{text};
    if (columns == 0) return {};
    std::string kept;
    for (std::size_t i = 0; i + 1 < columns && !text.empty(); ++i) {
        const std::size_t bytes = std::max<std::size_t>(utf8_sequence_bytes(text), 1);
        kept += text.substr(0, bytes);
        text.remove_prefix(bytes);
    }
    return kept + '~';
}

std::string bar_text(double fraction, std::size_t columns, bool utf8) {
    static constexpr std::array<std::string_view, 8> eighths{
        "", "\u258F", "\u258E", "\u258D", "\u258C", "\u258B", "\u258A", "\u2589"};
    const auto cells = static_cast<double>(columns);
    const auto filled_eighths = static_cast<std::size_t>(fraction * cells * 8);
    const std::size_t filled = filled_eighths / 8;
    const std::size_t rest = filled_eighths % 8;
    std::string bar;
    for (std::size_t i = 0; i < filled; ++i) bar += utf8 ? "\u2588" : "#";
    if (utf8 && rest != 0) bar += eighths[rest];
    bar.append(columns - filled - (utf8 && rest != 0 ? 1 : 0), ' ');
    return utf8 ? "\u2595" + bar + "\u258F" : '[' + bar + ']';
}

std::size_t terminal_columns(int fd) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string clock_text(std::uint64_t seconds) {
    const std::uint64_t hours = seconds / 3600;
    const std::uint64_t minutes = seconds / 60 % 60;
    if (hours > 0) return std::format("{}:{:02}:{:02}", hours, minutes, seconds % 60);
    return std::format("{}:{:02}", minutes, seconds % 60);
}

}  // namespace

std::string render(const progress_view& view, std::size_t columns, bool utf8) {
    std::string tail = view.rate;
    if (view.fraction) {
        const double fraction = std::clamp(*view.fraction, 0.0, 1.0);
        tail =
            std::format("{:3}%  {}  ETA {}", static_cast<int>(fraction * 100), view.rate, view.eta);
    }
    if (columns_of(tail) > columns) return cut(tail, columns);
    std::size_t room = columns - columns_of(tail);
    std::string label = cut(view.label, std::min(label_columns_max, room > 2 ? room - 2 : 0));
    if (!label.empty()) label += "  ";
    room -= columns_of(label);
    // Both ends of the bar and a space behind it.
    if (!view.fraction || room < bar_columns_min + 3) return label + tail;
    const std::size_t bar_columns = std::min(bar_columns_max, room - 3);
    return label + bar_text(std::clamp(*view.fraction, 0.0, 1.0), bar_columns, utf8) + ' ' + tail;
}

std::string format_count(std::uint64_t count) {
    std::string text = std::to_string(count);
    for (std::size_t i = text.size(); i > 3;) {
        i -= 3;
        text.insert(i, 1, ',');
    }
    return text;
}

std::string format_rate(double per_second, std::string_view unit) {
    if (!std::isfinite(per_second) || per_second < 0) per_second = 0;
    if (per_second < 1) return std::format("{:.2f} {}/s", per_second, unit);
    if (per_second < 10) return std::format("{:.1f} {}/s", per_second, unit);
    if (per_second >= 1e7) return std::format("{:.2f} M {}/s", per_second / 1e6, unit);
    return std::format("{} {}/s",
                       format_count(static_cast<std::uint64_t>(std::llround(per_second))), unit);
}

std::string format_eta(std::optional<double> seconds) {
    if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 1e9) return "-:--";
    const auto whole = static_cast<std::uint64_t>(std::ceil(*seconds));
    const std::uint64_t hours = whole / 3600;
    if (hours >= 48) return std::format("{} d {} h", hours / 24, hours % 24);
    return clock_text(whole);
}

std::string format_elapsed(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) seconds = 0;
    if (seconds < 9.995) return std::format("{:.2f} s", seconds);
    if (seconds < 59.95) return std::format("{:.1f} s", seconds);
    return clock_text(static_cast<std::uint64_t>(std::llround(seconds)));
}

std::string format_bytes(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return std::format("{} B", bytes);
    double scaled = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    // 1023.95 would print as 1024.0 of the smaller unit.
    while (scaled >= 1023.95 && unit + 1 < units.size()) {
        scaled /= 1024;
        ++unit;
    }
    return std::format("{:.1f} {}", scaled, units[unit]);
}

bool locale_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* const value = std::getenv(variable);
        if (value == nullptr || *value == '\0') continue;
        std::string lower{value};
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        return lower.contains("utf-8") || lower.contains("utf8");
    }
    return false;
}

void pace::add(time_point now, const progress& state) {
    samples_.push_back({now, state});
    // One sample older than the window stays, so that the window is always filled.
    while (samples_.size() > 2 && now - samples_[1].at >= window) samples_.pop_front();
}

double pace::records_per_second() const {
    if (samples_.size() < 2) return 0;
    const std::chrono::duration<double> span = samples_.back().at - samples_.front().at;
    if (span.count() <= 0) return 0;
    const std::uint64_t records = samples_.back().state.records - samples_.front().state.records;
    return static_cast<double>(records) / span.count();
}

std::optional<double> pace::seconds_left() const {
    if (samples_.size() < 2) return std::nullopt;
    const progress& last = samples_.back().state;
    if (!last.total) return std::nullopt;
    const std::uint64_t left = *last.total > last.done ? *last.total - last.done : 0;
    const std::chrono::duration<double> span = samples_.back().at - samples_.front().at;
    const std::uint64_t moved = last.done - std::min(last.done, samples_.front().state.done);
    if (moved == 0) return left == 0 ? std::optional{0.0} : std::nullopt;
    return static_cast<double>(left) * span.count() / static_cast<double>(moved);
}

progress_bar::progress_bar(int fd, bool wanted, std::string unit)
    : fd_{fd}, draws_{wanted && isatty(fd) == 1}, utf8_{locale_is_utf8()}, unit_{std::move(unit)} {}

progress_bar::~progress_bar() { clear(); }

void progress_bar::set_label(std::string_view label) {
    label_.assign(label);
    for (char& c : label_) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    }
}

void progress_bar::update(const progress& state, time_point now) {
    if (!draws_ || now < next_redraw_) return;
    next_redraw_ = now + redraw_interval;
    pace_.add(now, state);
    progress_view view{.label = label_,
                       .fraction = std::nullopt,
                       .rate = format_rate(pace_.records_per_second(), unit_),
                       .eta = format_eta(pace_.seconds_left())};
    if (state.total) {
        view.fraction = *state.total == 0
                            ? 1.0
                            : static_cast<double>(state.done) / static_cast<double>(*state.total);
    }
    // The last column stays free: some terminals wrap as soon as it is written.
    const std::string line = render(view, terminal_columns(fd_) - 1, utf8_);
    write_text("\r" + line + "\x1b[K");
    drawn_ = true;
}

void progress_bar::say(std::string_view line) {
    clear();
    write_text(std::string{line} + '\n');
}

void progress_bar::finish(std::string_view line) { say(line); }

void progress_bar::clear() {
    if (!drawn_) return;
    write_text("\r\x1b[K");
    drawn_ = false;
}

// A progress bar that cannot be written is no reason to fail.
void progress_bar::write_text(std::string_view text) const {
    while (!text.empty()) {
        const ssize_t written = ::write(fd_, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return;
        }
    }
}

}  // namespace tickd
