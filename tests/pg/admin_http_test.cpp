// The admin server itself: health and readiness through an outage, and what a bad client can cost.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/exposition.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

constexpr std::string_view with_admin = "admin:\n  address: 127.0.0.1:0\n";

}  // namespace

TEST_CASE("an idle daemon is unready while the cluster is down, and healthy all the time",
          "[admin_http]") {
    const auto cluster = std::make_unique<private_cluster>();
    const std::string conninfo = migrated_database(*cluster);
    daemon_process daemon(daemon_yaml(as_user(conninfo, "tickd_ingest"), with_admin));
    REQUIRE(daemon.ready());
    const std::string admin = admin_address(daemon);
    const auto ready = [&] { return http_get(admin, "/readyz").status == 200; };
    REQUIRE(await_condition(ready));
    CHECK(http_get(admin, "/readyz").body == "ok\n");

    cluster->stop(stop_mode::fast);
    REQUIRE(await_condition([&] { return !ready(); }));
    const http_answer unready = http_get(admin, "/readyz");
    CHECK(unready.status == 503);
    CHECK(unready.body == "lane 0: not connected to the database\n");
    CHECK(http_get(admin, "/healthz").status == 200);

    cluster->start();
    REQUIRE(await_condition(ready));
    CHECK(http_get(admin, "/healthz").body == "ok\n");
    CHECK(daemon.stop() == 0);
}

TEST_CASE("bad requests are answered and closed", "[admin_http]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    CHECK(http_send(admin, "nonsense\r\n\r\n").status == 400);
    CHECK(http_send(admin, "GET /metrics HTTP/9.9\r\n\r\n").status == 400);
    CHECK(http_send(admin, "\x16\x03\x01\x02\r\n\r\n").status == 400);
    CHECK(http_get(admin, "/nowhere").status == 404);
    CHECK(http_get(admin, "/metrics/../metrics").status == 404);
    CHECK(http_get(admin, "/healthz?x=1").status == 200);
    const http_answer post =
        http_send(admin,
                  "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: "
                  "close\r\n\r\n");
    CHECK(post.status == 405);
    CHECK(post.headers.at("allow") == "GET, HEAD");
    CHECK(http_send(admin,
                    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
              .status == 413);
    const std::string huge = "GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n";
    CHECK(http_send(admin, huge).status == 431);
    const http_answer head =
        http_send(admin, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    CHECK(std::stoul(head.headers.at("content-length")) > 1000);
    CHECK(http_get(admin, "/healthz").status == 200);
    const exposition seen(http_get(admin, "/metrics").body);
    CHECK(seen.value("tickd_admin_requests_total", {{"code", "4xx"}}) == 8);
    CHECK(seen.value("tickd_admin_requests_total", {{"code", "5xx"}}) == 0);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("several requests go over one connection", "[admin_http]") {
    ingest_site site(with_admin);
    tcp_client client(admin_address(site.daemon()));
    client.send(
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string received = client.read_to_end().value_or("");
    std::size_t answers = 0;
    for (std::size_t at = 0; (at = received.find("HTTP/1.1 ", at)) != std::string::npos; ++at) {
        ++answers;
    }
    CHECK(answers == 3);
}

TEST_CASE("clients that ask nothing are bounded in number and time", "[admin_http]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    std::vector<std::unique_ptr<tcp_client>> idle;
    for (int i = 0; i < 32; ++i) {
        idle.push_back(std::make_unique<tcp_client>(admin));
        idle.back()->send("GET /hea");
    }
    // All 32 are in when one more is closed without an answer.
    REQUIRE(
        await_condition([&] { return tcp_client(admin).read_to_end().value_or("open") == ""; }));
    // Meanwhile records are taken in as ever.
    tcp_client feed(site.address());
    feed.send("{\"symbol\":\"S\",\"bid\":1,\"ask\":2}\n");
    REQUIRE(site.await_records(1));
    for (const auto& each : idle) CHECK(each->read_to_end() == "");
    CHECK(http_get(admin, "/healthz").status == 200);
    const exposition seen(http_get(admin, "/metrics").body);
    CHECK(seen.value("tickd_admin_connections_refused_total") >= 1);
}

TEST_CASE("a client that does not read its answer is closed", "[admin_http]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    tcp_client deaf(admin);
    std::string requests;
    for (int i = 0; i < 200; ++i) requests += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // More answers than any pair of buffers holds, until the server has had enough.
    REQUIRE(await_condition([&] { return !deaf.send_some(requests).has_value(); }));
    CHECK(http_get(admin, "/healthz").status == 200);
}

TEST_CASE("two daemons on one host both find a place for their admin server", "[admin_http]") {
    ingest_site site("admin:\n  address: auto\n");
    daemon_process other(
        daemon_yaml("host=/nowhere dbname=none", "admin:\n  address: auto\nlanes:\n  first: 1\n"));
    REQUIRE(other.ready());
    const std::string one = admin_address(site.daemon()), two = admin_address(other);
    CHECK(one != two);
    CHECK(http_get(one, "/healthz").status == 200);
    CHECK(http_get(two, "/healthz").status == 200);
    // It has no database, which is no reason to start it anew.
    CHECK(http_get(two, "/readyz").status == 503);
}

TEST_CASE("an admin address that was asked for must be had, and none is none", "[admin_http]") {
    ingest_site site(with_admin);
    const std::string taken = admin_address(site.daemon());
    daemon_process other(
        daemon_yaml("host=/nowhere dbname=none", std::format("admin:\n  address: {}\n", taken)));
    CHECK_FALSE(other.ready());
    CHECK(other.wait() == 69);
    CHECK(other.logged("admin.address: cannot listen") == 1);

    daemon_process quiet(
        daemon_yaml("host=/nowhere dbname=none", "admin:\n  address: none\nlanes:\n  first: 1\n"));
    REQUIRE(quiet.ready());
    CHECK(quiet.logged("admin: http at") == 0);
}

TEST_CASE("it listens on a unix socket, too", "[admin_http]") {
    temporary_folder folder;
    const std::string path = "unix:" + folder.file("admin.sock");
    ingest_site site(std::format("admin:\n  address: {}\n", path));
    CHECK(admin_address(site.daemon()) == path);
    CHECK(http_get(path, "/healthz").body == "ok\n");
    CHECK(site.daemon().stop() == 0);
}
