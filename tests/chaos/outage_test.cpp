// The database is away while producers send as fast as they can.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t resident_max = std::size_t{1024} << 20U;
#else
constexpr std::size_t resident_max = std::size_t{256} << 20U;
#endif

}  // namespace

TEST_CASE("PostgreSQL is away for a while at full rate: nothing lost, memory flat, all connected") {
    private_cluster cluster;
    chaos_site site(cluster);
    for (int i = 0; i < 4; ++i) {
        site.add_producer({.name = "feed-" + std::to_string(i),
                           .address = site.address(),
                           .unacked_max = long_form() ? 200'000U : 120'000U,
                           .append = {}});
    }
    tcp_client quiet(site.address());
    REQUIRE(site.await_acked(20'000));
    cluster.stop(stop_mode::immediate);
    // Until nobody can send any more: every buffer is full.
    const auto sent = [&] {
        std::uint64_t sum = 0;
        for (const auto& each : site.producers()) sum += each->sent();
        return sum;
    };
    const std::chrono::seconds away(how_many(5, 60));
    const auto back_at = std::chrono::steady_clock::now() + away;
    std::uint64_t known = 0;
    while (std::exchange(known, sent()) != sent() || known == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    const std::size_t full = site.daemon().resident_bytes();
    std::this_thread::sleep_until(back_at);
    const std::size_t then = site.daemon().resident_bytes();
    INFO("resident " << full << ", later " << then << " bytes");
    CHECK(then < full + (std::size_t{8} << 20U));
    CHECK(site.daemon().resident_peak_bytes() < resident_max);
    CHECK(quiet.send_some("\n").has_value());
    cluster.start();
    REQUIRE(site.await_acked(20'000));
    CHECK(quiet.send_some("\n").has_value());
    for (const auto& each : site.producers()) CHECK(each->welcomes() == 1);
    quiet.reset();
    CHECK(site.daemon().resident_peak_bytes() < resident_max);
    site.finish_and_compare();
}
