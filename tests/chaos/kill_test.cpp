// kill -9 at random moments, of whatever takes part, while four acked producers send.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <format>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"

using namespace tickd::test;

namespace {

// SIGKILL to the process behind the lane's connection, upon which the server ends all others and
// recovers. False: the lane has none now.
bool kill_lane_backend(chaos_site& site) {
    auto sql = site.sql();
    const text_rows found =
        rows(sql, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tickd lane%'");
    if (found.empty()) return false;
    return ::kill(std::stoi(found[0][0]), SIGKILL) == 0;
}

}  // namespace

TEST_CASE("kill -9 of tickd, of a backend and of the cluster lose and double nothing") {
    private_cluster cluster;
    chaos_site site(cluster);
    chaos_luck luck;
    site.add_producers(4, 3000);
    REQUIRE(site.await_acked(1000));
    const int rounds = how_many(6, 100);
    for (int round = 0; round < rounds; ++round) {
        INFO("seed " << chaos_seed() << ", round " << round);
        luck.pass_time(400);
        const char* killed = "tickd";
        switch (round % 3) {
            case 0:
                site.daemon().kill_hard();
                site.start_daemon();
                break;
            case 1:
                killed = "a backend";
                REQUIRE(kill_lane_backend(site));
                break;
            default:
                killed = "the cluster";
                cluster.kill_hard();
                cluster.start();
        }
        REQUIRE(site.await_acked(500));
        tell(std::format("round {} of {}: {} killed, {} records acked", round + 1, rounds, killed,
                         site.acked()));
    }
    site.finish_and_compare();
}
