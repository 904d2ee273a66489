// How the daemon ends and begins: what it had received is committed, and its exit code says so.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

std::string tick(int connection, int k) {
    return std::format("{{\"symbol\":\"c{}\",\"bid\":{},\"ask\":1}}\n", connection, k);
}

// A feed that sends numbered ticks until the daemon closes, and counts those it has handed over.
class endless_feed {
public:
    endless_feed(const std::string& address, int number) : client_(address) {
        sender_ = std::thread([this, number] { run(number); });
    }
    ~endless_feed() { sender_.join(); }
    endless_feed(const endless_feed&) = delete;
    endless_feed& operator=(const endless_feed&) = delete;

    // Ticks that are whole in the kernel's hands.
    [[nodiscard]] int handed_over() const noexcept { return handed_over_.load(); }

private:
    void run(int number) {
        for (int k = 0;; ++k) {
            const std::string line = tick(number, k);
            for (std::string_view left = line; !left.empty();) {
                const auto sent = client_.send_some(left);
                if (!sent) return;
                if (*sent == 0 && !client_.await_writable(patience)) return;
                left.remove_prefix(*sent);
            }
            handed_over_.store(k + 1);
        }
    }

    tcp_client client_;
    std::atomic<int> handed_over_{0};
    std::thread sender_;
};

// Each symbol's rows: how many, how many different ones, and the last.
text_rows counts_by_symbol(ingest_site& site) {
    return rows(site.sql(),
                "SELECT symbol, count(*), count(DISTINCT bid), max(bid)::bigint + 1"
                " FROM price_telemetry GROUP BY symbol"
                " ORDER BY length(symbol), symbol");
}

// Waits until the query, whose answer is one boolean, says true.
[[nodiscard]] bool comes_true(tickd::pg_connection& sql, const std::string& query) {
    return await_condition([&] { return one(sql, query) == "t"; });
}

// A socket file that nobody listens on, as a crash leaves it.
void leave_stale_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(left);
}

}  // namespace

// A unix socket, because there what send() took is in the daemon's own buffer.
TEST_CASE("SIGTERM while feeds are sending loses nothing that had arrived", "[ingest_stop]") {
    constexpr int feeds = 8;
    const temporary_folder folder;
    ingest_site site("stop:\n  drain_timeout: 50s", "  - address: unix:" + folder.file("in.sock"));
    for (int run = 1; run <= 3; ++run) {
        std::vector<int> arrived(feeds);
        {
            std::vector<std::unique_ptr<endless_feed>> all;
            for (int i = 0; i < feeds; ++i) {
                all.push_back(std::make_unique<endless_feed>(site.address(), run * 100 + i));
            }
            // All are beyond the door.
            REQUIRE(comes_true(site.sql(), std::format("SELECT count(DISTINCT symbol) = {}"
                                                       " FROM price_telemetry",
                                                       run * feeds)));
            for (std::size_t i = 0; i < feeds; ++i) arrived[i] = all[i]->handed_over();
            CHECK(site.daemon().stop() == 0);
        }
        INFO(site.daemon().log());
        const text_rows counts = counts_by_symbol(site);
        REQUIRE(counts.size() == static_cast<std::size_t>(run * feeds));
        for (std::size_t i = 0; i < feeds; ++i) {
            const auto& of = counts[counts.size() - feeds + i];
            INFO(of[0]);
            CHECK(std::stoi(of[1]) >= arrived[i]);
            // A prefix of what was sent: no gap, no double.
            CHECK(of[2] == of[1]);
            CHECK(of[3] == of[1]);
        }
        CHECK(one(site.sql(),
                  "SELECT count(*) FROM tickd.dead_letter"
                  " WHERE verdict <> 'line_unfinished'") == "0");
        CHECK_FALSE(std::filesystem::exists(folder.file("in.sock")));
        if (run < 3) site.start_again();
    }
}

TEST_CASE("SIGTERM commits what TCP has delivered and closes the connections", "[ingest_stop]") {
    ingest_site site;
    constexpr int feeds = 4, ticks = 30'000;
    std::vector<tcp_client> clients;
    for (int i = 0; i < feeds; ++i) {
        clients.emplace_back(site.address());
        clients.back().send(tick(i, 0));
    }
    REQUIRE(site.await_records(feeds));
    std::string stream;
    for (int i = 0; i < feeds; ++i) {
        stream.clear();
        for (int k = 1; k < ticks; ++k) stream += tick(i, k);
        clients[static_cast<std::size_t>(i)].send(stream);
    }
    for (tcp_client& client : clients) REQUIRE(client.await_delivered());
    CHECK(site.daemon().stop() == 0);
    for (tcp_client& client : clients) CHECK(client.read_to_end() == "");
    const std::string count = std::to_string(ticks);
    for (const auto& of : counts_by_symbol(site)) {
        CHECK(of == std::vector<std::string>{of[0], count, count, count});
    }
    CHECK(counts_by_symbol(site).size() == feeds);
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "0");
}

TEST_CASE("a database that stays away makes the stop give up, and say so", "[ingest_stop]") {
    private_cluster cluster;
    const std::string conninfo = fresh_database(cluster);
    migrate_by_command(conninfo);
    const std::string yaml =
        daemon_yaml(as_user(conninfo, "tickd_ingest"), "stop:\n  drain_timeout: 1s");
    {
        daemon_process daemon(yaml);
        REQUIRE(daemon.ready());
        tcp_client client(daemon.address());
        client.send(tick(1, 0));
        tickd::pg_connection sql = connect(conninfo);
        REQUIRE(comes_true(sql, "SELECT count(*) = 1 FROM price_telemetry"));
        cluster.stop(stop_mode::immediate);
        client.send(tick(1, 1) + tick(1, 2));
        REQUIRE(client.await_delivered());
        CHECK(daemon.stop() == 75);
        CHECK(daemon.logged("2 records not committed") == 1);
        CHECK(client.read_to_end() == "");
    }
    cluster.start();
    // It returns, and so does a daemon that starts before its database does.
    cluster.stop(stop_mode::fast);
    daemon_process daemon(yaml);
    REQUIRE(daemon.ready());
    tcp_client client(daemon.address());
    client.send(tick(2, 0));
    REQUIRE(client.await_delivered());
    cluster.start();
    tickd::pg_connection sql = connect(conninfo);
    CHECK(comes_true(sql, "SELECT count(*) = 2 FROM price_telemetry"));
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a database that answers no more does not hold up the stop", "[ingest_stop]") {
    ingest_site site("stop:\n  drain_timeout: 1s");
    tcp_client client(site.address());
    client.send(tick(1, 0));
    REQUIRE(site.await_records(1));
    run(site.sql(), "BEGIN; LOCK TABLE price_telemetry IN ACCESS EXCLUSIVE MODE");
    client.send(tick(1, 1));
    tickd::pg_connection other = site.connect_again();
    REQUIRE(comes_true(other,
                       "SELECT count(*) > 0 FROM pg_stat_activity"
                       " WHERE usename = 'tickd_ingest' AND wait_event_type = 'Lock'"));
    const auto asked = std::chrono::steady_clock::now();
    CHECK(site.daemon().stop() == 75);
    CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(15));
    run(site.sql(), "ROLLBACK");
    // The next daemon ends what the first left, then goes on.
    site.start_again();
    tcp_client next(site.address());
    next.send(tick(2, 0));
    CHECK(comes_true(other, "SELECT count(*) = 2 FROM price_telemetry"));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a second signal ends it at once", "[ingest_stop]") {
    ingest_site site("stop:\n  drain_timeout: 50s");
    tcp_client client(site.address());
    client.send(tick(1, 0));
    REQUIRE(site.await_records(1));
    run(site.sql(), "BEGIN; LOCK TABLE price_telemetry IN ACCESS EXCLUSIVE MODE");
    client.send(tick(1, 1));
    REQUIRE(client.await_delivered());
    site.daemon().terminate();
    REQUIRE(site.daemon().await_logged("draining"));
    const auto asked = std::chrono::steady_clock::now();
    CHECK(site.daemon().stop() == 75);
    CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(15));
}

TEST_CASE("a stale socket file is replaced, a living one is not", "[ingest_stop]") {
    const temporary_folder folder;
    const std::string path = folder.file("in.sock");
    leave_stale_socket(path);
    ingest_site site({}, "  - address: unix:" + path + "\n    unix_mode: \"0600\"");
    CHECK(std::filesystem::status(path).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    tcp_client client("unix:" + path);
    client.send(tick(1, 0));
    REQUIRE(site.await_records(1));

    daemon_process second(daemon_yaml("host=/nowhere", {}, "  - address: unix:" + path));
    CHECK(second.wait() == 69);
    CHECK(second.logged(path) == 1);
    client.send(tick(1, 1));
    CHECK(site.await_records(2));

    // A crash leaves the file, and the next start takes its place.
    site.daemon().kill_hard();
    REQUIRE(std::filesystem::exists(path));
    site.start_again();
    tcp_client again("unix:" + path);
    again.send(tick(1, 2));
    CHECK(site.await_records(3));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a file that is no socket is left alone", "[ingest_stop]") {
    const temporary_folder folder;
    const std::string path = folder.write("precious", "text");
    daemon_process daemon(daemon_yaml("host=/nowhere", {}, "  - address: unix:" + path));
    CHECK(daemon.wait() == 69);
    CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("a busy port is named", "[ingest_stop]") {
    daemon_process first(daemon_yaml("host=/nowhere"));
    REQUIRE(first.ready());
    daemon_process second(daemon_yaml("host=/nowhere", {}, "  - address: " + first.address()));
    CHECK(second.wait() == 69);
    CHECK(second.logged(first.address() + ": cannot listen: Address already in use") == 1);
    CHECK(first.stop() == 0);
}

TEST_CASE("a wrong configuration starts nothing", "[ingest_stop]") {
    daemon_process daemon("lanes:\n  count: 0\nlisteners:\n  - adress: 127.0.0.1:0\nnonsense: 1\n");
    CHECK(daemon.wait() == 78);
    CHECK(daemon.logged("listening") == 0);
    // All of it at once, each with its line.
    CHECK(daemon.logged("tickd.yaml:2: lanes.count: ") == 1);
    CHECK(daemon.logged("tickd.yaml:4: ") >= 1);
    CHECK(daemon.logged("tickd.yaml:5: ") == 1);
    const temporary_folder folder;
    CHECK(run_tickd({"--config", folder.file("missing.yaml"), "serve"}).exit_code == 78);
    CHECK(run_tickd({"serve", "--nonsense"}).exit_code == 64);
}
