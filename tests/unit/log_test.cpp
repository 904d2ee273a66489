#include <simdjson.h>
#include <spdlog/sinks/ostream_sink.h>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>

#include "daemon/log.h"

namespace {

using namespace std::chrono_literals;
using namespace tickd;

// spdlog's default logger writes into a text until this ends.
class captured_log {
public:
    captured_log() {
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
        sink->set_pattern("%v");
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink));
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log() { spdlog::set_default_logger(before_); }

    [[nodiscard]] std::string text() const { return text_.str(); }

private:
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
    std::ostringstream text_;
};

TEST_CASE("a JSON line is one object that holds the message", "[log]") {
    const std::string payload = "a \"b\" \\ \n\t\x01\x7F \u00FC \xFF.";
    spdlog::details::log_msg message{"tickd", spdlog::level::err, payload};
    message.time = spdlog::log_clock::time_point{} + 1'723'161'254'024'619us;
    const std::string line = to_json_line(message);
    CHECK(line.starts_with(R"({"time":"2024-08-08T23:54:14.024619Z","level":"error","thread":)"));
    CHECK_FALSE(line.contains('\n'));

    simdjson::dom::parser parser;
    simdjson::dom::element root;
    REQUIRE(parser.parse(line).get(root) == simdjson::SUCCESS);
    std::string_view text;
    REQUIRE(root["message"].get(text) == simdjson::SUCCESS);
    CHECK(text == "a \"b\" \\ \n\t\x01\x7F \u00FC \uFFFD.");
}

TEST_CASE("what steers a terminal is shown, not sent", "[log]") {
    CHECK(printable("a\x1b[2J\r\n\tb\x7F") == "a\\x1b[2J\\x0d\n\tb\\x7f");
    CHECK(printable("\u00FC") == "\u00FC");
}

TEST_CASE("a limiter lets a burst through and counts the rest", "[log]") {
    log_limiter limiter{2, 10s};
    const log_limiter::clock::time_point start{1h};
    CHECK(limiter.take(start).allowed);
    CHECK(limiter.take(start + 1s).allowed);
    for (int i = 0; i < 7; ++i) CHECK_FALSE(limiter.take(start + 2s).allowed);
    CHECK_FALSE(limiter.take(start + 9'999ms).allowed);
    const auto next = limiter.take(start + 10s);
    CHECK(next.allowed);
    CHECK(next.suppressed == 8);
    const auto after = limiter.take(start + 11s);
    CHECK(after.allowed);
    CHECK(after.suppressed == 0);
}

TEST_CASE("log_limited says how many were left out", "[log]") {
    const captured_log log;
    log_limiter limiter{1, 1h};
    for (int i = 0; i < 3; ++i) log_limited(limiter, spdlog::level::warn, "bad {}", i);
    CHECK(log.text() == "bad 0\n");

    log_limiter always{1, 0ms};
    log_limited(always, spdlog::level::warn, "seen {}", 1);
    log_limited(always, spdlog::level::warn, "seen {}", 2);
    CHECK(log.text() == "bad 0\nseen 1\nseen 2\n");

    // An interval that ends between two messages: long enough to suppress, over at the third.
    log_limiter short_one{1, 1ms};
    log_limited(short_one, spdlog::level::warn, "x");
    std::uint64_t tries = 0;
    while (!log.text().contains("more like it")) {
        log_limited(short_one, spdlog::level::warn, "again {{}} {}", tries++);
    }
    CHECK(log.text().contains("again {} "));
    CHECK(log.text().contains("more like it were not logged)"));
}

TEST_CASE("messages below the level take no turn", "[log]") {
    const captured_log log;
    set_log_level("warn");
    log_limiter limiter{1, 1h};
    log_limited(limiter, spdlog::level::info, "not wanted");
    log_limited(limiter, spdlog::level::err, "wanted");
    set_log_level("info");
    CHECK(log.text() == "wanted\n");
}

}  // namespace
