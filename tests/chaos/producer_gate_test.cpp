// A gate between producers and tickd that does what networks do.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/support/tcp_gate.h"

using namespace tickd::test;

TEST_CASE("a producer's connection cut after any number of bytes, either way") {
    chaos_site site(shared_cluster());
    tcp_gate gate(site.address());
    chaos_luck luck(2);
    gate.plan_faults([&](std::uint64_t number) {
        gate_fault fault;
        // An ack is 25 bytes, a record about 60: whatever is cut, some of each gets through.
        if (number % 2 == 0) {
            fault.cut_after_sent = luck.between(1, 60'000);
        } else {
            fault.cut_after_received = luck.between(1, 2'000);
        }
        return fault;
    });
    site.add_producers(4, 3000, gate.address());
    const auto cuts = static_cast<std::uint64_t>(how_many(150, 3000));
    REQUIRE(await_condition([&] { return gate.cuts() >= cuts; }, std::chrono::minutes(10)));
    gate.plan_faults({});
    site.finish_and_compare();
}

TEST_CASE("a producer's connection that is slow, and split into small pieces") {
    chaos_site site(shared_cluster());
    tcp_gate gate(site.address());
    gate.plan_faults([](std::uint64_t number) {
        return number % 2 == 0
                   ? gate_fault{.piece_max = 1}
                   : gate_fault{.piece_max = 1500, .delay = std::chrono::milliseconds(5)};
    });
    site.add_producers(4, 500, gate.address());
    REQUIRE(site.await_acked(static_cast<std::uint64_t>(how_many(2000, 20'000))));
    site.finish_and_compare();
}

TEST_CASE("producers whose network stands still for a while go on where they were") {
    chaos_site site(shared_cluster());
    tcp_gate gate(site.address());
    chaos_luck luck(3);
    site.add_producers(4, 3000, gate.address());
    for (int round = 0; round < how_many(5, 100); ++round) {
        REQUIRE(site.await_acked(500));
        gate.hold(true);
        luck.pass_time(200);
        gate.hold(false);
    }
    for (const auto& each : site.producers()) CHECK(each->welcomes() == 1);
    site.finish_and_compare();
}

// The daemon still has the old session, whose host will never say that it is gone.
TEST_CASE("a producer comes back while its old connection hangs in the air") {
    chaos_site site(shared_cluster());
    for (int round = 0; round < how_many(1, 10); ++round) {
        tcp_gate gate(site.address());
        producer_plan plan{.name = "feed-" + std::to_string(round),
                           .address = gate.address(),
                           .records_max = 20'000,
                           .append = {}};
        {
            acked_producer before(plan);
            REQUIRE(await_condition([&] { return before.acked() > 0; }));
            gate.vanish();
            before.abandon();
            plan.sent_before = before.sent();
        }
        // The same feed on another way: it sends what the daemon says it lacks.
        plan.address = site.address();
        plan.records_max = 30'000;
        site.add_producer(plan);
        REQUIRE(await_condition([&] { return site.producers().back()->acked() == 30'000; }));
    }
    site.finish_and_compare();
}

// It has sent everything and waits for acks, which may take any time: keepalives, 25 s.
TEST_CASE("tickd send notices that the daemon's host is gone, and goes on where it was") {
    if (!long_form()) SKIP("it takes 25 seconds: in the long form only");
    chaos_site site(shared_cluster());
    tcp_gate gate(site.address());
    const temporary_folder folder;
    std::string lines;
    for (int i = 0; i < 1000; ++i) lines += "{\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n";
    const std::string file = folder.write("ticks.ndjson", lines);
    auto sql = site.sql();
    run(sql, "BEGIN; LOCK TABLE tickd.producer IN ACCESS EXCLUSIVE MODE");
    ended_process sent;
    std::thread sender(
        [&] { sent = run_tickd({"send", file, "--to", gate.address(), "--producer", "sender"}); });
    auto other = site.sql();
    const bool welcomed_and_waiting = await_condition([&] {
        return one(other,
                   "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'tickd_ingest'"
                   " AND wait_event_type = 'Lock' AND datname = current_database()") == "t";
    });
    gate.vanish();
    run(sql, "ROLLBACK");
    sender.join();
    REQUIRE(welcomed_and_waiting);
    CHECK(sent.exit_code == 0);
    CHECK(gate.connections() == 2);
    CHECK(one(sql, "SELECT count(*) FROM price_telemetry") == "1000");
    CHECK(site.daemon().stop() == 0);
}
