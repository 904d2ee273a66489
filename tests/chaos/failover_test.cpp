// A synchronous standby takes over: what was acked is there.
#include <catch2/catch_test_macros.hpp>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"

using namespace tickd::test;

namespace {

struct pair_of_servers {
    private_cluster primary;
    std::unique_ptr<private_cluster> standby = private_cluster::standby_of(primary);
    // The daemon is given both and nothing else; the first takes no writes for now.
    chaos_site site{primary, "host=" + standby->directory() + ',' + primary.directory()};

    pair_of_servers() {
        auto sql = site.sql();
        run(sql, "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        run(sql, "SELECT pg_reload_conf()");
        await(sql, "SELECT coalesce(bool_or(sync_state = 'sync'), false) FROM pg_stat_replication");
    }
    void promote() {
        auto sql = connect(standby->conninfo("postgres"));
        run(sql, "SELECT pg_promote()");
        site.moved_to(*standby);
    }
};

}  // namespace

TEST_CASE("the primary is killed and its standby promoted: tickd finds it and nothing is missing") {
    for (int round = 0; round < how_many(1, 5); ++round) {
        pair_of_servers servers;
        chaos_luck luck(static_cast<std::uint64_t>(round) + 10);
        servers.site.add_producers(4, 3000);
        REQUIRE(servers.site.await_acked(2000));
        luck.pass_time(500);
        servers.primary.kill_hard();
        servers.promote();
        REQUIRE(servers.site.await_acked(2000));
        servers.site.finish_and_compare();
    }
}

// PostgreSQL answers a COMMIT that was told not to wait for its standby with success and a WARNING.
TEST_CASE("a commit that was cancelled while it waited for the standby is not acked before") {
    pair_of_servers servers;
    chaos_site& site = servers.site;
    site.add_producers(4, 2000);
    REQUIRE(site.await_acked(1000));
    servers.standby->stop(stop_mode::immediate);
    auto sql = site.sql();
    const std::string waiting =
        " FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        " AND application_name LIKE 'tickd lane%'";
    // The batch first, then the lane's take-overs that would ask the ledger.
    std::uint64_t acked = 0;
    for (std::size_t cancelled = 1; cancelled <= 3; ++cancelled) {
        await(sql, "SELECT count(*) > 0" + waiting);
        if (cancelled == 1) acked = site.acked();
        static_cast<void>(rows(sql, "SELECT pg_cancel_backend(pid)" + waiting));
        REQUIRE(await_condition(
            [&] {
                return site.daemon().logged("canceling wait for synchronous replication") >=
                       cancelled;
            },
            std::chrono::seconds(10)));
    }
    CHECK(site.acked() == acked);
    servers.primary.kill_hard();
    servers.standby->start();
    servers.promote();
    REQUIRE(site.await_acked(1000));
    site.finish_and_compare();
}
