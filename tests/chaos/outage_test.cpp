// The database is away while producers send as fast as they can.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/support/exposition.h"
#include "tests/support/http_client.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

// Once no block is left the writer still prepares the batch that it has gathered: up to 24 MiB of
// rows and segments, and more with ASan. What the producers could still send, were it kept, is 160
// MiB.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t resident_max = std::size_t{1024} << 20U;
constexpr std::size_t growth_max = std::size_t{64} << 20U;
#else
constexpr std::size_t resident_max = std::size_t{256} << 20U;
constexpr std::size_t growth_max = std::size_t{32} << 20U;
#endif

}  // namespace

TEST_CASE("PostgreSQL is away for a while at full rate: nothing lost, memory flat, all connected") {
    private_cluster cluster;
    chaos_site site(cluster, {}, "30s", "admin:\n  address: 127.0.0.1:0\n");
    for (int i = 0; i < 4; ++i) {
        site.add_producer({.name = "feed-" + std::to_string(i),
                           .address = site.address(),
                           .unacked_max = 200'000U,
                           .append = {}});
    }
    tcp_client quiet(site.address());
    REQUIRE(site.await_acked(20'000));
    cluster.stop(stop_mode::immediate);
    const std::chrono::seconds away(how_many(5, 60));
    const auto back_at = std::chrono::steady_clock::now() + away;
    // Until no block is left to keep records in, and so nobody is read any more.
    REQUIRE(await_condition([&] {
        const exposition seen(http_get(admin_address(site.daemon()), "/metrics").body);
        return seen.sum("tickd_blocks") >= seen.sum("tickd_blocks_max");
    }));
    const std::size_t full = site.daemon().resident_bytes();
    std::this_thread::sleep_until(back_at);
    const std::size_t then = site.daemon().resident_bytes();
    INFO("resident " << full << ", later " << then << " bytes");
    CHECK(then < full + growth_max);
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
