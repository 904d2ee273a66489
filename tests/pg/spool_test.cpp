// The spool in the running daemon: PostgreSQL goes away under load and comes back, tickd is killed
// meanwhile, the spool fills up. What was acked is there once, in order, at the end.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <format>
#include <memory>
#include <string>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

constexpr std::size_t mib = 1024UL * 1024;

std::string hello(const std::string& producer, const std::string& ack) {
    return std::format("{{\"type\":\"hello\",\"producer\":\"{}\",\"ack\":\"{}\"}}\n", producer,
                       ack);
}

std::string ticks(int first, int last, std::string_view padding = {}) {
    std::string lines;
    for (int seq = first; seq <= last; ++seq) {
        lines += std::format(
            "{{\"seq\":{},\"symbol\":\"S\",\"bid\":{},\"ask\":1,\"metadata\":{{\"p\":\"{}\"}}}}\n",
            seq, seq, padding);
    }
    return lines;
}

std::string ack(int seq) { return std::format("{{\"type\":\"ack\",\"seq\":{}}}\n", seq); }

// A cluster that may be stopped, a database in it, and a daemon with a spool on it.
class spool_site {
public:
    explicit spool_site(std::string_view more = {})
        : conninfo_(fresh_database(cluster_)),
          yaml_(daemon_yaml(as_user(conninfo_, "tickd_ingest"),
                            std::format("spool:\n  folder: {}\n{}", folder_.file("spool"), more))) {
        migrate_by_command(conninfo_);
        start_daemon();
    }
    void start_daemon() {
        daemon_ = std::make_unique<daemon_process>(yaml_);
        if (!daemon_->ready()) throw std::runtime_error("not ready:\n" + daemon_->log());
    }
    [[nodiscard]] daemon_process& daemon() { return *daemon_; }
    [[nodiscard]] std::string address() const { return daemon_->address(); }
    [[nodiscard]] private_cluster& cluster() { return cluster_; }
    [[nodiscard]] std::string ask(const std::string& query) {
        tickd::pg_connection sql = connect(conninfo_);
        return one(sql, query);
    }
    [[nodiscard]] bool comes_true(const std::string& query) {
        return await_condition([&] { return ask(query) == "t"; });
    }
    [[nodiscard]] bool await_ticks(int count) {
        return comes_true(std::format("SELECT count(*) >= {} FROM price_telemetry", count));
    }
    [[nodiscard]] ended_process status(bool json = false) {
        const std::string file = folder_.write("status.yaml", yaml_);
        std::vector<std::string> arguments{"--config", file, "spool", "status"};
        if (json) arguments.emplace_back("--json");
        return run_tickd(arguments);
    }
    // Every tick from 1 to `last` once, committed in its order.
    void check_all(int last) {
        INFO(daemon_->log());
        CHECK(ask("SELECT count(*) || ' ' || count(DISTINCT bid) || ' ' || max(bid)::bigint"
                  " FROM price_telemetry") == std::format("{} {} {}", last, last, last));
        CHECK(ask("SELECT count(*) FROM tickd.dead_letter") == "0");
        CHECK(ask("SELECT count(*) FROM tickd.producer"
                  " WHERE received <> committed + duplicates + dead_lettered") == "0");
        CHECK(ask("SELECT count(*) FROM (SELECT bid - lag(bid) OVER (ORDER BY xmin::text::bigint,"
                  " bid) AS step FROM price_telemetry) t WHERE step <> 1") == "0");
    }

private:
    private_cluster cluster_;
    temporary_folder folder_;
    std::string conninfo_;
    std::string yaml_;
    std::unique_ptr<daemon_process> daemon_;
};

// Sends, ends the stream, and gives everything the daemon says until it closes.
std::string converse(const std::string& address, const std::string& lines) {
    tcp_client client(address);
    client.send(lines);
    client.finish();
    return client.read_to_end().value_or("the daemon did not close");
}

}  // namespace

TEST_CASE("spooled acks go on while the database is away, and all of it arrives once") {
    spool_site site;
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(1, 1000)).ends_with(ack(1000)));
    REQUIRE(site.await_ticks(1000));
    site.cluster().stop(stop_mode::immediate);
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(1001, 30'000))
              .ends_with(ack(30'000)));
    CHECK(site.daemon().await_logged("blocks go to the spool"));
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(30'001, 40'000))
              .ends_with(ack(40'000)));
    const ended_process looked = site.status();
    CHECK(looked.exit_code == 0);
    CHECK(looked.out.contains("producer p: up to sequence 40000"));

    site.cluster().start();
    CHECK(site.daemon().await_logged("the spool is empty again"));
    REQUIRE(site.await_ticks(40'000));
    CHECK(converse(site.address(), hello("p", "committed") + ticks(40'001, 40'500))
              .ends_with(ack(40'500)));
    site.check_all(40'500);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a committed session's acks wait for the database though its records are spooled") {
    spool_site site;
    CHECK(converse(site.address(), hello("p", "committed") + ticks(1, 10)).ends_with(ack(10)));
    site.cluster().stop(stop_mode::immediate);
    tcp_client client(site.address());
    client.send(hello("p", "committed") + ticks(11, 5000));
    client.finish();
    CHECK(site.daemon().await_logged("blocks go to the spool"));
    CHECK(await_condition([&] {
        return site.status(true).out.contains("{\"producer\":\"p\",\"newest_seq\":5000}");
    }));
    site.cluster().start();
    const std::string told = client.read_to_end().value_or("not closed");
    CHECK(told.contains("\"resume_after\":10,"));
    CHECK(told.ends_with(ack(5000)));
    // Nobody was told of more than is there.
    CHECK(site.ask("SELECT count(*) FROM price_telemetry") == "5000");
    site.check_all(5000);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("tickd is killed while it spools: what was acked survives and comes once") {
    spool_site site;
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(1, 100)).ends_with(ack(100)));
    REQUIRE(site.await_ticks(100));
    site.cluster().stop(stop_mode::immediate);
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(101, 20'000))
              .ends_with(ack(20'000)));
    site.daemon().kill_hard();
    site.start_daemon();
    // The spool knows where the producer stands; the database need not be asked.
    const std::string again = converse(site.address(), hello("p", "spooled") + ticks(1, 25'000));
    CHECK(again.contains("\"resume_after\":20000,"));
    CHECK(again.ends_with(ack(25'000)));
    site.daemon().kill_hard();
    site.cluster().start();
    site.start_daemon();
    for (int kills = 0; kills < 3; ++kills) {
        REQUIRE(site.comes_true("SELECT count(*) > 0 FROM tickd.spool"));
        site.daemon().kill_hard();
        site.start_daemon();
    }
    REQUIRE(site.await_ticks(25'000));
    CHECK(converse(site.address(), hello("p", "committed") + ticks(24'000, 26'000))
              .ends_with(ack(26'000)));
    site.check_all(26'000);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("plain records survive an orderly stop while the database is away") {
    spool_site site;
    site.cluster().stop(stop_mode::immediate);
    tcp_client client(site.address());
    client.send(ticks(1, 3000));
    REQUIRE(client.await_delivered());
    CHECK(site.daemon().stop() == 0);
    CHECK(site.daemon().logged("3000 records wait in the spool") == 1);
    site.cluster().start();
    site.start_daemon();
    REQUIRE(site.await_ticks(3000));
    site.check_all(3000);
    CHECK(site.daemon().stop() == 0);
    CHECK(site.status().out.contains("0 blocks with 0 records"));
}

TEST_CASE("a full spool stops the senders, and nothing is lost") {
    spool_site site("  max_bytes: 64MiB\n  file_bytes: 4MiB\n");
    site.cluster().stop(stop_mode::immediate);
    const std::string padding(2000, 'x');
    tcp_client client(site.address());
    // Far more than the spool, the pool of blocks and the kernel hold together.
    const std::string part = ticks(1, 1, padding);
    int sent = 0;
    std::string left;
    std::size_t total = 0;
    bool stuck = false;
    while (!stuck && total < 900 * mib) {
        if (left.empty()) {
            ++sent;
            left = ticks(sent, sent, padding);
        }
        const auto took = client.send_some(left);
        REQUIRE(took);
        total += *took;
        left.erase(0, *took);
        if (*took == 0) stuck = !client.await_writable(std::chrono::seconds(4));
    }
    CHECK(stuck);
    CHECK(site.daemon().logged("spool.max_bytes") >= 1);
    site.cluster().start();
    client.send(left);
    client.finish();
    REQUIRE(site.await_ticks(sent));
    CHECK(site.daemon().await_logged("the spool is empty again"));
    site.check_all(sent);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr std::size_t bound = 1024 * mib;
#else
    constexpr std::size_t bound = 256 * mib;
#endif
    INFO("peak " << site.daemon().resident_peak_bytes() / mib << " MiB");
    CHECK(site.daemon().resident_peak_bytes() < bound);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("without a spool folder a hello that asks for spooled is told committed") {
    ingest_site site;
    CHECK(converse(site.address(), hello("p", "spooled") + ticks(1, 5))
              .contains("\"ack\":\"committed\""));
}
