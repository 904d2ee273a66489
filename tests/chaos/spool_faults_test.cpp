// What happens to the spool while it holds the only copy of what was acked: tickd is killed, the
// database comes and goes, the spool's own disk fills up.
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <format>
#include <vector>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/chaos/small_disk.h"

using namespace tickd::test;

namespace {

// Waits until each of the first two producers has acks of records that it sent after this call: its
// session stands, and with the database away they can only be in the spool, from which the next
// process then knows the producer.
bool await_both_go_on(chaos_site& site) {
    std::vector<std::uint64_t> sent;
    for (std::size_t i = 0; i < 2; ++i) sent.push_back(site.producers()[i]->sent());
    return await_condition([&] {
        return site.producers()[0]->acked() > sent[0] + 100 &&
               site.producers()[1]->acked() > sent[1] + 100;
    });
}

}  // namespace

TEST_CASE("kill -9 of tickd and of the cluster while records wait in the spool") {
    private_cluster cluster;
    const temporary_folder folder;
    chaos_site site(cluster, {}, "30s", "spool:\n  folder: " + folder.file("spool") + '\n');
    chaos_luck luck;
    site.add_producers(2, 3000, {}, "spooled");
    site.add_producers(2, 3000);
    const int rounds = how_many(4, 40);
    for (int round = 0; round < rounds; ++round) {
        INFO("seed " << chaos_seed() << ", round " << round);
        REQUIRE(await_both_go_on(site));
        cluster.kill_hard();
        // Acks of the two go on from the spool.
        REQUIRE(await_both_go_on(site));
        // Sometimes the killed one has the database back, and is in the middle of its replay.
        const bool while_away = round % 2 == 0;
        if (!while_away) cluster.start();
        luck.pass_time(400);
        site.daemon().kill_hard();
        site.start_daemon();
        if (while_away) {
            REQUIRE(await_both_go_on(site));
            cluster.start();
        }
        luck.pass_time(400);
        tell(std::format("round {} of {}: {} records acked", round + 1, rounds, site.acked()));
    }
    CHECK(site.daemon().logged("damaged") == 0);
    site.finish_and_compare();
}

TEST_CASE("a full disk under the spool makes senders wait, and loses nothing") {
    const small_disk disk(24);
    private_cluster cluster;
    chaos_site site(cluster, {}, "30s", "spool:\n  folder: " + disk.path() + "/spool\n");
    site.add_producers(2, 0, {}, "spooled");
    site.add_producers(2);
    REQUIRE(site.await_acked(1000));
    cluster.kill_hard();
    REQUIRE(await_condition([&] { return site.daemon().logged("No space left on device") > 0; },
                            std::chrono::minutes(5)));
    SECTION("the database comes back") { cluster.start(); }
    SECTION("there is room again first") {
        disk.resize(2000);
        REQUIRE(site.await_acked(2000));
        cluster.start();
    }
    SECTION("tickd is killed on the full disk") {
        site.daemon().kill_hard();
        site.start_daemon();
        cluster.start();
    }
    REQUIRE(site.await_acked(2000));
    site.finish_and_compare();
}
