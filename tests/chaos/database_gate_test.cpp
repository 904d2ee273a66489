// A gate between tickd and PostgreSQL that does what networks do.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <format>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/support/tcp_gate.h"

using namespace tickd::test;

namespace {

struct gated_site {
    explicit gated_site(const std::string& stall_limit = "30s", const std::string& more = {})
        : gate("unix:" + shared_cluster().directory() + "/.s.PGSQL.5432"),
          // Without the compactor: faults are planned and counted for the lane's connections.
          site(shared_cluster(), through_port(gate.port()) + more, stall_limit,
               "segments:\n  compact: false\n") {}
    tcp_gate gate;
    chaos_site site;
};

}  // namespace

TEST_CASE("a connection cut between COMMIT and its answer, 200 times: the ledger decides") {
    gated_site at;
    const auto cuts = static_cast<std::uint64_t>(how_many(200, 1000));
    at.gate.plan_faults([](std::uint64_t number) {
        constexpr std::array kinds{commit_cut::answered, commit_cut::withheld, commit_cut::at_once,
                                   commit_cut::answered};
        return gate_fault{.commit = kinds[number % kinds.size()],
                          .commits_before = static_cast<int>(number % 3)};
    });
    at.gate.cut_all();
    at.site.add_producers(4, 1000);
    REQUIRE(
        await_condition([&] { return at.gate.commit_cuts() >= cuts; }, std::chrono::minutes(10)));
    tell(std::format("cut {} times at COMMIT", at.gate.commit_cuts()));
    at.gate.plan_faults({});
    CHECK(at.site.daemon().logged("reconnect") >= cuts);
    at.site.finish_and_compare();
}

TEST_CASE("a connection to the database cut after any number of bytes") {
    gated_site at;
    chaos_luck luck(1);
    // Every other connection lives long enough to get something done.
    at.gate.plan_faults([&](std::uint64_t number) {
        gate_fault fault;
        const bool short_lived = number % 2 == 0;
        std::uint64_t& after = number % 4 < 2 ? fault.cut_after_sent : fault.cut_after_received;
        const std::uint64_t few = number % 4 < 2 ? 4'000 : 1'500;
        after = short_lived ? luck.between(1, few) : luck.between(few, 20 * few);
        return fault;
    });
    at.gate.cut_all();
    at.site.add_producers(4, 2000);
    const auto cuts = static_cast<std::uint64_t>(how_many(60, 1000));
    REQUIRE(await_condition([&] { return at.gate.cuts() >= cuts; }, std::chrono::minutes(10)));
    at.gate.plan_faults({});
    at.site.finish_and_compare();
}

TEST_CASE("a connection to the database that is slow, and split into small pieces") {
    gated_site at;
    at.gate.plan_faults([](std::uint64_t number) {
        return number % 2 == 0
                   ? gate_fault{.piece_max = 3}
                   : gate_fault{.piece_max = 2000, .delay = std::chrono::milliseconds(3)};
    });
    for (int round = 0; round < 2; ++round) {
        at.gate.cut_all();
        at.site.add_producers(2, 500);
        REQUIRE(at.site.await_acked(static_cast<std::uint64_t>(how_many(1000, 20'000))));
    }
    at.site.finish_and_compare();
}

TEST_CASE("a database that takes everything and says nothing more is left after stall_limit") {
    gated_site at("1s");
    at.site.add_producers(4, 1000);
    for (int round = 0; round < how_many(2, 20); ++round) {
        REQUIRE(at.site.await_acked(200));
        const std::size_t before = at.site.daemon().logged("reconnect");
        at.gate.hold(true);
        REQUIRE(await_condition([&] { return at.site.daemon().logged("reconnect") > before; }));
        at.gate.hold(false);
    }
    REQUIRE(at.site.await_acked(200));
    at.site.finish_and_compare();
}

// Whatever was sent has been received, and an answer is waited for: keepalives notice. Faster ones
// than the default by the conninfo, and a stall_limit that takes longer.
TEST_CASE("a database host that is gone without a word is noticed by keepalives") {
    gated_site at("5m", " keepalives_idle=1 keepalives_interval=1 keepalives_count=2");
    at.site.add_producers(2, 1000);
    REQUIRE(at.site.await_acked(200));
    auto sql = at.site.sql();
    run(sql, "BEGIN; LOCK TABLE tickd.producer IN ACCESS EXCLUSIVE MODE");
    auto other = at.site.sql();
    await(other,
          "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'tickd_ingest'"
          " AND wait_event_type = 'Lock' AND datname = current_database()");
    const auto began = std::chrono::steady_clock::now();
    at.gate.vanish();
    REQUIRE(await_condition([&] { return at.site.daemon().logged("reconnect") > 0; }));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
    run(sql, "ROLLBACK");
    REQUIRE(at.site.await_acked(200));
    at.site.finish_and_compare();
}
