// How fast and how slow things are now, of figures that only grow.
#include <catch2/catch_test_macros.hpp>

#include "daemon/admin/status_history.h"
#include "ingest/limits.h"

namespace {

using namespace tickd;

constexpr std::int64_t second = 1'000'000;

traffic_totals totals_of(int count) {
    const auto ticks = static_cast<std::uint64_t>(count);
    return {.received_bytes = 100 * ticks, .received = 2 * ticks, .ticks = ticks};
}

TEST_CASE("a rate is that of the last five seconds", "[status]") {
    status_history history;
    CHECK(history.rates().ticks == 0);
    history.note(0, 0, totals_of(0), true);
    CHECK(history.rates().ticks == 0);
    history.note(second, 0, totals_of(10), true);
    CHECK(history.rates().ticks == 10);
    for (int i = 2; i <= 20; ++i) history.note(i * second, 0, totals_of(10 + 100 * (i - 1)), true);
    CHECK(history.rates().ticks == 100);
    CHECK(history.rates().received_bytes == 10'000);
    // A late look counts what came over the time it took.
    history.note(25 * second, 0, totals_of(1910 + 450), true);
    CHECK(history.rates().ticks == (400 + 450) / 9.0);
    CHECK(history.last_seconds().committed.back() == 90);
    CHECK(history.last_seconds().received.back() == 180);
}

TEST_CASE("it remembers five minutes and no more", "[status]") {
    status_history history;
    for (int i = 0; i <= 1000; ++i) history.note(i * second, 0, totals_of(i), true);
    CHECK(history.last_seconds().committed.size() == ingest::limits::status_seconds_max);
    CHECK(history.last_seconds().bytes == std::vector<std::uint32_t>(300, 100));
}

TEST_CASE("figures that seem to shrink are no rate", "[status]") {
    status_history history;
    history.note(0, 0, totals_of(10), true);
    history.note(second, 0, totals_of(9), true);
    CHECK(history.rates().ticks == 0);
    CHECK(history.last_seconds().committed == std::vector<std::uint32_t>{0});
}

TEST_CASE("an outage begins when it is first seen and ends with the connection", "[status]") {
    status_history history;
    history.note(0, 500, totals_of(0), true);
    CHECK(history.away_since_us() == 0);
    history.note(second, 501, totals_of(0), false);
    history.note(2 * second, 502, totals_of(0), false);
    CHECK(history.away_since_us() == 501);
    history.note(3 * second, 503, totals_of(0), true);
    CHECK(history.away_since_us() == 0);
}

TEST_CASE("latencies are those of the last minute", "[status]") {
    status_history history;
    CHECK(history.recent_latencies().of[0].count == 0);
    ingest::latency_histogram whole, commit;
    const auto look = [&](std::int64_t at_s) {
        latency_set seen{};
        seen[static_cast<std::size_t>(latency_stage::receive_to_commit)] = whole.read();
        seen[static_cast<std::size_t>(latency_stage::commit)] = commit.read();
        history.note(at_s * second, seen);
    };
    look(0);
    whole.record(1'000'000, 1000);
    commit.record(20);
    look(1);
    CHECK(history.recent_latencies().of[0].count == 1000);
    CHECK(history.recent_latencies().of[0].p50_us == 1'000'000);
    CHECK(history.recent_latencies().of[4].p999_us == 20);
    for (int i = 2; i < 100; ++i) {
        whole.record(10);
        look(i);
    }
    // The slow ones are older than a minute; what is left of it is a step at most.
    const auto recent = history.recent_latencies();
    CHECK(recent.window_s >= 60);
    CHECK(recent.window_s < 66);
    CHECK(recent.of[0].count == recent.window_s);
    CHECK(recent.of[0].p999_us == 10);
    CHECK(recent.of[4].count == 0);
}

}  // namespace
