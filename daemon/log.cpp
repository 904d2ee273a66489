#include "daemon/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <unistd.h>

#include <cstdlib>
#include <format>
#include <memory>

#include "daemon/utf8.h"

namespace tickd {

namespace {

spdlog::level::level_enum level_of(std::string_view name) {
    if (name == "trace") return spdlog::level::trace;
    if (name == "debug") return spdlog::level::debug;
    if (name == "warn") return spdlog::level::warn;
    if (name == "error") return spdlog::level::err;
    return spdlog::level::info;
}

std::string_view name_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace: return "trace";
        case spdlog::level::debug: return "debug";
        case spdlog::level::info: return "info";
        case spdlog::level::warn: return "warn";
        case spdlog::level::err: return "error";
        case spdlog::level::critical: return "critical";
        case spdlog::level::off:
        case spdlog::level::n_levels: break;
    }
    return "none";
}

void append_json_text(std::string_view text, std::string& out) {
    out += '"';
    while (!text.empty()) {
        const std::size_t bytes = utf8_sequence_bytes(text);
        const char c = text.front();
        if (bytes == 0) {
            out += "\uFFFD";
            text.remove_prefix(1);
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += std::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(bytes);
    }
    out += '"';
}

std::string_view text_of(const spdlog::details::log_msg& message) {
    return {message.payload.data(), message.payload.size()};
}

class json_formatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        std::string line = to_json_line(message);
        line += '\n';
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<json_formatter>();
    }
};

// `14:03:59.123 info  message`, local time; the sink colours the level.
class human_formatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        using namespace std::chrono;
        const std::time_t seconds = system_clock::to_time_t(message.time);
        std::tm local{};
        localtime_r(&seconds, &local);
        const auto ms = duration_cast<milliseconds>(message.time.time_since_epoch()).count() % 1000;
        std::string line =
            std::format("{:02}:{:02}:{:02}.{:03} ", local.tm_hour, local.tm_min, local.tm_sec, ms);
        message.color_range_start = line.size();
        line += std::format("{:5}", name_of(message.level));
        message.color_range_end = line.size();
        line += ' ';
        line += printable(text_of(message));
        line += '\n';
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<human_formatter>();
    }
};

// https://no-color.org: set and not empty means no colour.
bool colour_is_unwanted() {
    const char* const value = std::getenv("NO_COLOR");
    return value != nullptr && *value != '\0';
}

}  // namespace

void start_log(std::string_view level, std::string_view format) {
    // One sink for both forms, so that the form can change while others log: it colours only what a
    // formatter has marked.
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "tickd",
        std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(
            colour_is_unwanted() ? spdlog::color_mode::never : spdlog::color_mode::automatic)));
    set_log_format(format);
    set_log_level(level);
}

void set_log_format(std::string_view format) {
    const bool human = format == "human" || (format != "json" && isatty(STDERR_FILENO) == 1);
    std::unique_ptr<spdlog::formatter> formatter;
    if (human) {
        formatter = std::make_unique<human_formatter>();
    } else {
        formatter = std::make_unique<json_formatter>();
    }
    // Each sink locks itself while it takes one.
    spdlog::default_logger_raw()->set_formatter(std::move(formatter));
}

void set_log_level(std::string_view level) { spdlog::set_level(level_of(level)); }

std::string to_json_line(const spdlog::details::log_msg& message) {
    using namespace std::chrono;
    const auto at = floor<microseconds>(message.time);
    std::string line = std::format(R"({{"time":"{:%FT%T}Z","level":"{}","thread":{},"message":)",
                                   at, name_of(message.level), message.thread_id);
    append_json_text(text_of(message), line);
    line += '}';
    return line;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) {
            out += std::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

log_limiter::turn log_limiter::take(clock::time_point now) {
    const std::scoped_lock lock{mutex_};
    if (begin_ == clock::time_point{} || now - begin_ >= interval_) {
        begin_ = now;
        allowed_ = 0;
    }
    if (allowed_ >= burst_) {
        ++suppressed_;
        return {};
    }
    ++allowed_;
    return {true, std::exchange(suppressed_, 0)};
}

}  // namespace tickd
