// The daemon under a service manager: what it says on NOTIFY_SOCKET, the watchdog, inherited
// sockets.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <format>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "tests/support/acked_producer.h"
#include "tests/support/daemon_process.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/service_process.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;
using namespace std::chrono_literals;

namespace {

std::string usual_yaml(std::string_view settings = {}, std::string_view listeners = {}) {
    return daemon_yaml(as_user(migrated_database(shared_cluster()), "tickd_ingest"), settings,
                       listeners);
}

// Stops one thread of another process where it stands, until this ends.
class frozen_thread {
public:
    frozen_thread(pid_t process, const std::string& name) {
        for (const auto& each :
             std::filesystem::directory_iterator(std::format("/proc/{}/task", process))) {
            std::ifstream in(each.path() / "comm");
            std::string called;
            std::getline(in, called);
            if (called == name) thread_ = std::stoi(each.path().filename());
        }
        REQUIRE(thread_ > 0);
        REQUIRE(::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0);
        REQUIRE(::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0);
        int status = 0;
        REQUIRE(::waitpid(thread_, &status, __WALL) == thread_);
    }
    ~frozen_thread() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
    frozen_thread(const frozen_thread&) = delete;
    frozen_thread& operator=(const frozen_thread&) = delete;

private:
    pid_t thread_ = -1;
};

}  // namespace

TEST_CASE("it tells its manager when it is ready, reloads and stops", "[service]") {
    temporary_folder folder;
    notify_socket manager(folder.file("notify"));
    service_process daemon(usual_yaml(),
                           {.environment = {{"NOTIFY_SOCKET", manager.path()}}, .sockets = {}});
    REQUIRE(manager.await("READY=1"));
    CHECK(manager.said().size() >= 1);
    REQUIRE(manager.await("STATUS=1 of 1 lanes connected, 0 sessions, 0 records committed"));
    CHECK(manager.times("WATCHDOG=1") == 0);

    std::size_t before = manager.said().size();
    daemon.signal(SIGHUP);
    REQUIRE(manager.await("RELOADING=1", before));
    REQUIRE(manager.await("READY=1", before));
    const auto& all = manager.said();
    const auto of = [&](std::string_view what) {
        return std::ranges::find_if(all.begin() + static_cast<std::ptrdiff_t>(before), all.end(),
                                    [&](const auto& each) { return each.starts_with(what); });
    };
    CHECK(of("RELOADING=1\nMONOTONIC_USEC=") < of("READY=1"));

    before = manager.said().size();
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == 0);
    CHECK(manager.times("STOPPING=1", before) == 1);
    CHECK(manager.times("READY=1", before) == 0);
}

TEST_CASE("the watchdog is fed while lanes come round, a database or not", "[service]") {
    temporary_folder folder;
    notify_socket manager(folder.file("notify"));
    const service_start how{
        .environment = {{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "3000000"}},
        .sockets = {}};
    service_process daemon(daemon_yaml("host=/nowhere dbname=none"), how);
    REQUIRE(daemon.await_logged("no answer"));
    // Longer than a lane may be silent would be minutes; that it goes on is enough.
    for (int i = 0; i < 3; ++i) CHECK(manager.comes_within("WATCHDOG=1", patience));
}

TEST_CASE("a lane that hangs is not fed, and is fed again when it comes round", "[service]") {
    temporary_folder folder;
    notify_socket manager(folder.file("notify"));
    const service_start how{
        .environment = {{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "3000000"}},
        .sockets = {}};
    // The shortest limits make a writer's silence of nine seconds suspect.
    const std::string yaml = usual_yaml("admin:\n  address: 127.0.0.1:0\n");
    const std::string limits = "database:\n  connect_timeout: 100ms\n  stall_limit: 1s\n";
    service_process daemon(limits + yaml.substr(yaml.find('\n') + 1), how);
    const std::string log = daemon.log();
    constexpr std::string_view words = "admin: http at ";
    const std::size_t at = log.find(words) + words.size();
    const std::string admin = log.substr(at, log.find('"', at) - at);
    REQUIRE(manager.await("WATCHDOG=1"));
    CHECK(http_get(admin, "/healthz").status == 200);
    {
        const frozen_thread frozen(daemon.pid(), "writer-0");
        REQUIRE(daemon.await_logged("the watchdog is not fed: lane 0: its writer thread"));
        CHECK_FALSE(manager.comes_within("WATCHDOG=1", 4s));
        const http_answer ill = http_get(admin, "/healthz");
        CHECK(ill.status == 503);
        CHECK(ill.body.starts_with("lane 0: its writer thread has not come round for "));
    }
    CHECK(manager.comes_within("WATCHDOG=1", patience));
    CHECK(http_get(admin, "/healthz").status == 200);
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == 0);
}

TEST_CASE("listeners take the sockets they are given, by name and by address", "[service]") {
    temporary_folder folder;
    std::string by_name, by_address, for_admin;
    const int named = listen_on_loopback(by_name), addressed = listen_on_loopback(by_address);
    const int admin = listen_on_loopback(for_admin);
    const int on_path = listen_on_path(folder.file("in.sock"));
    ::chmod(folder.file("in.sock").c_str(), 0666);
    std::string surplus_address;
    const int surplus = listen_on_loopback(surplus_address);
    const std::string listeners = std::format(
        "  - name: feeds\n    address: 127.0.0.1:0\n"
        "  - address: {}\n  - address: unix:{}\n",
        by_address, folder.file("in.sock"));
    const std::string yaml = usual_yaml("admin:\n  address: 127.0.0.1:0\n", listeners);
    const service_start how{.environment = {},
                            .sockets = {{"tickd.socket", on_path},
                                        {"feeds", named},
                                        {"admin", admin},
                                        {"tickd.socket", addressed},
                                        {"nobodys", surplus}}};
    const std::string tick = "{\"symbol\":\"S\",\"bid\":1,\"ask\":2}\n";
    {
        service_process daemon(yaml, how);
        CHECK(daemon.log().contains("listening on " + by_name));
        CHECK(daemon.log().contains("listening on " + by_address));
        CHECK(daemon.log().contains("admin: http at " + for_admin));
        CHECK(daemon.log().contains("inherited socket nobodys at " + surplus_address));
        for (const std::string& to : {by_name, by_address, "unix:" + folder.file("in.sock")}) {
            tcp_client client(to);
            client.send(tick);
            client.finish();
            CHECK(client.read_to_end() == "");
        }
        CHECK(http_get(for_admin, "/healthz").status == 200);
        daemon.signal(SIGTERM);
        CHECK(daemon.wait() == 0);
        CHECK(daemon.log().contains("everything received is committed"));
    }
    // The sockets are the manager's: what comes while nobody runs waits for the next one.
    CHECK(std::filesystem::exists(folder.file("in.sock")));
    tcp_client early(by_name), early_too("unix:" + folder.file("in.sock"));
    early.send(tick);
    early.finish();
    early_too.send(tick);
    early_too.finish();
    service_process daemon(yaml, how);
    CHECK(early.read_to_end() == "");
    CHECK(early_too.read_to_end() == "");
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == 0);
    for (const int each : {named, addressed, admin, on_path, surplus}) ::close(each);
}

TEST_CASE("twenty upgrades under load lose and double nothing, and refuse no connection",
          "[service]") {
    std::string address;
    const int socket = listen_on_loopback(address);
    const std::string conninfo = migrated_database(shared_cluster());
    const std::string yaml = daemon_yaml(as_user(conninfo, "tickd_ingest"), {},
                                         std::format("  - address: {}\n", address));
    const service_start how{.environment = {}, .sockets = {{"tickd.socket", socket}}};
    auto daemon = std::make_unique<service_process>(yaml, how);
    acked_producer one({.name = "one", .address = address, .rate = 2000});
    acked_producer two({.name = "two", .address = address, .rate = 2000});
    // Somebody always connects, while the old one drains and while the new one starts, too.
    std::atomic<int> connected{0}, refused{0};
    std::jthread prober([&](const std::stop_token& ended) {
        while (!ended.stop_requested()) {
            try {
                const tcp_client client(address);
                connected.fetch_add(1);
            } catch (const std::exception&) {
                refused.fetch_add(1);
            }
            std::this_thread::sleep_for(5ms);  // Else it uses up the ports of this machine.
        }
    });
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t before_one = one.acked(), before_two = two.acked();
        REQUIRE(await_condition(
            [&] { return one.acked() > before_one + 500 && two.acked() > before_two + 500; }));
        daemon->signal(SIGTERM);
        REQUIRE(daemon->wait() == 0);
        daemon = std::make_unique<service_process>(yaml, how);
    }
    prober.request_stop();
    prober.join();
    CHECK(refused.load() == 0);
    CHECK(connected.load() > 20);
    REQUIRE(one.finish());
    REQUIRE(two.finish());
    CHECK(one.complaints().empty());
    CHECK(two.complaints().empty());
    tickd::pg_connection sql = connect(conninfo);
    for (const acked_producer* each : {&one, &two}) {
        CAPTURE(each->name());
        // The usual mix: of ticks the bid, of events the payload is the number.
        const std::string ticks = std::format(
            "SELECT count(*) || ' ' || count(DISTINCT bid) FROM price_telemetry"
            " WHERE symbol = '{}'",
            each->name());
        std::uint64_t wanted = 0;
        for (std::uint64_t seq = 1; seq <= each->sent(); ++seq) {
            wanted += fate_of(seq) == record_fate::tick ? 1U : 0U;
        }
        CHECK(tickd::test::one(sql, ticks) == std::format("{} {}", wanted, wanted));
    }
    daemon->signal(SIGTERM);
    CHECK(daemon->wait() == 0);
    ::close(socket);
}
