// A database that stands still: the daemon stops reading, so the sender's send() stops; memory
// stays bounded; and once it goes on, every row arrives exactly once.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <format>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool with_sanitizer = true;
#else
constexpr bool with_sanitizer = false;
#endif
constexpr std::size_t mib = 1024 * 1024;

// Sends numbered lines until the kernel has taken nothing for a while.
class pushing_feed {
public:
    pushing_feed(const std::string& address, int number, std::size_t padding)
        : client_(address), number_(number), padding_(padding, 'x') {}

    // True: it has come to a stop. False: still going after `lines_max`.
    bool push_until_stuck(int lines_max) {
        while (lines_ < lines_max) {
            if (left_.empty()) next();
            const auto sent = client_.send_some(left_);
            if (!sent) throw std::runtime_error("the daemon has closed the connection");
            left_.remove_prefix(*sent);
            if (*sent == 0 && !client_.await_writable(std::chrono::seconds(3))) return true;
        }
        return false;
    }
    // What of the last line was cut off.
    void finish_line() {
        client_.send(left_);
        left_ = {};
    }
    [[nodiscard]] int lines() const noexcept { return lines_; }

private:
    void next() {
        line_ = std::format(
            "{{\"symbol\":\"p{}\",\"bid\":{},\"ask\":1,\"metadata\":{{\"p\":\"{}\"}}}}\n", number_,
            lines_++, padding_);
        left_ = line_;
    }

    tcp_client client_;
    int number_;
    std::string padding_;
    std::string line_;
    std::string_view left_;
    int lines_ = 0;
};

void expect_pressure_and_release(std::size_t padding) {
    ingest_site site;
    tickd::pg_connection holder = site.connect_again();
    run(holder, "BEGIN; LOCK TABLE price_telemetry IN ACCESS EXCLUSIVE MODE");
    std::vector<pushing_feed> feeds;
    feeds.reserve(2);
    for (int i = 0; i < 2; ++i) feeds.emplace_back(site.address(), i, padding);
    // Far more than the pool of blocks and the kernel's buffers hold together.
    constexpr std::size_t far_more = 600 * mib;
    const auto lines_max = static_cast<int>(far_more / (padding + 60));
    try {
        for (pushing_feed& each : feeds) CHECK(each.push_until_stuck(lines_max));
    } catch (const std::exception&) {
        FAIL(site.daemon().log());
    }
    // Neither is read again. The kernel may still give its own buffers some more room.
    const auto kernel_lines = static_cast<int>(16 * mib / (padding + 60));
    for (pushing_feed& each : feeds) CHECK(each.push_until_stuck(each.lines() + kernel_lines));
    CHECK(one(holder, "SELECT count(*) FROM price_telemetry") == "0");
    INFO("peak " << site.daemon().resident_peak_bytes() / mib << " MiB, padding " << padding);
    CHECK(site.daemon().resident_peak_bytes() < (with_sanitizer ? 1024 : 256) * mib);

    run(holder, "ROLLBACK");
    std::size_t sent = 0;
    for (pushing_feed& each : feeds) {
        each.finish_line();
        sent += static_cast<std::size_t>(each.lines());
    }
    REQUIRE(site.await_records(sent));
    const text_rows counts = rows(site.sql(),
                                  "SELECT count(*), count(DISTINCT bid),"
                                  " min(bid)::bigint, max(bid)::bigint + 1"
                                  " FROM price_telemetry GROUP BY symbol"
                                  " ORDER BY symbol");
    REQUIRE(counts.size() == feeds.size());
    for (std::size_t i = 0; i < feeds.size(); ++i) {
        const std::string lines = std::to_string(feeds[i].lines());
        CHECK(counts[i] == std::vector<std::string>{lines, lines, "0", lines});
    }
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "0");
    CHECK(site.daemon().resident_peak_bytes() < (with_sanitizer ? 1024 : 256) * mib);
    CHECK(site.daemon().stop() == 0);
}

}  // namespace

TEST_CASE("a frozen database stops the senders, short lines", "[backpressure]") {
    expect_pressure_and_release(10);
}

TEST_CASE("a frozen database stops the senders, long lines", "[backpressure]") {
    expect_pressure_and_release(50'000);
}
