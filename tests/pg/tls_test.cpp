// TLS listeners: what is spoken, who is let in by a certificate, and certificates that are
// replaced.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <format>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/acked_producer.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"
#include "tests/support/tenant_site.h"
#include "tests/support/tls_client.h"

using namespace tickd::test;

namespace {

std::string listener(const key_pair& files, std::string_view more = {}) {
    return std::format("  - address: 127.0.0.1:0\n    tls_certificate: {}\n    tls_key: {}\n{}",
                       files.certificate, files.key, more);
}

std::string ticks(int count) {
    std::string lines;
    for (int seq = 1; seq <= count; ++seq) lines += tick_line(seq);
    return lines;
}

std::string stored(ingest_site& site) {
    return one(site.sql(), "SELECT count(*) || ' ' || count(DISTINCT bid) FROM price_telemetry");
}

}  // namespace

TEST_CASE("records go through TLS, plain and acked, small and large") {
    const test_ca ca;
    ingest_site site({}, listener(ca.server()));
    const tls_client_options options{.ca = ca.file()};
    CHECK(converse_tls(site.address(), options, ticks(20'000)) == "");
    REQUIRE(site.await_records(20'000));
    CHECK(stored(site) == "20000 20000");
    const std::string said = converse_tls(site.address(), options, hello_line("p") + ticks(30'000));
    CHECK(said.starts_with("{\"type\":\"welcome\","));
    CHECK(said.ends_with("{\"type\":\"ack\",\"seq\":30000}\n"));
    CHECK(stored(site) == "50000 30000");
    // A line of many TLS records, and one over the limit.
    const std::string note(900'000, 'x'), too_much(1'200'000, 'y');
    CHECK(converse_tls(site.address(), options,
                       hello_line("q") + tick_line(1, ",\"note\":\"" + note + '"') +
                           tick_line(2, ",\"note\":\"" + too_much + '"') + tick_line(3))
              .ends_with("{\"type\":\"ack\",\"seq\":3}\n"));
    CHECK(one(site.sql(), "SELECT max(length(metadata->>'note')) FROM price_telemetry") ==
          "900000");
    CHECK(one(site.sql(), "SELECT verdict FROM tickd.dead_letter") == "line_too_long");
}

TEST_CASE("a stream that ends without a goodbye has been cut: its last line is no record") {
    const test_ca ca;
    ingest_site site({}, listener(ca.server()));
    std::string last = tick_line(2);
    last.pop_back();
    tls_client cut(site.address(), {.ca = ca.file()}), ended(site.address(), {.ca = ca.file()});
    cut.send(tick_line(1) + last);
    cut.cut();
    ended.send(tick_line(1) + last);
    ended.finish();
    REQUIRE(site.await_records(4));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "3");
    CHECK(one(site.sql(), "SELECT verdict FROM tickd.dead_letter") == "line_unfinished");
}

TEST_CASE("only new versions are spoken, nothing is resumed and nothing renegotiated") {
    const test_ca ca;
    ingest_site site(
        {}, listener(ca.server()) +
                listener(ca.server("other"), "    name: lenient\n    tls_min_version: 1.2\n"));
    const std::string strict = site.address(0), lenient = site.address(1);
    const auto with = [&](int version) {
        return tls_client_options{.ca = ca.file(), .version_max = version};
    };
    CHECK(converse_tls(strict, with(TLS1_2_VERSION), {}).starts_with("handshake"));
    CHECK(converse_tls(lenient, with(TLS1_1_VERSION), {}).starts_with("handshake"));
    CHECK(tls_client(strict, with(TLS1_3_VERSION)).version() == "TLSv1.3");

    tls_client old(lenient, with(TLS1_2_VERSION));
    CHECK(old.version() == "TLSv1.2");
    CHECK_FALSE(old.resumable());
    tls_client asking(lenient, with(TLS1_2_VERSION));
    CHECK_FALSE(asking.renegotiate());
    // Nobody else notices.
    old.send(hello_line("old") + tick_line(1));
    old.finish();
    CHECK(old.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    tls_client fresh(strict, with(TLS1_3_VERSION));
    fresh.send(hello_line("new") + tick_line(1));
    fresh.finish();
    CHECK(fresh.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    CHECK_FALSE(fresh.resumable());
}

TEST_CASE("who speaks no TLS is let go, and the next is served") {
    const test_ca ca;
    ingest_site site("limits:\n  handshake_timeout: 500ms\n", listener(ca.server()));
    tcp_client silent(site.address());
    tcp_client plain(site.address());
    plain.send(tick_line(1));
    static_cast<void>(plain.read_to_end());
    CHECK(silent.read_to_end() == "");
    CHECK(converse_tls(site.address(), {.ca = ca.file()}, hello_line("p") + tick_line(1))
              .ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "1");
    CHECK(site.daemon().logged("no TLS session") != 0);
}

TEST_CASE("a certificate's names decide tenant and producers") {
    const test_ca ca, stranger;
    const std::string tenant = "01234567-89ab-cdef-0123-456789abcdef";
    ingest_site site(
        std::format("identities:\n  - name: eu\n    certificate: DNS:*.eu.example\n    tenant: {}\n"
                    "    producers: eu-*\n  - name: us\n    certificate: CN:us-feed\n",
                    tenant),
        listener(ca.server(), std::format("    auth: mtls\n    tls_client_ca: {}\n", ca.file())));
    const auto as = [&](const test_ca& by, const std::string& subject, const std::string& names) {
        return tls_client_options{.ca = ca.file(), .own = by.issue("client", subject, names)};
    };
    const std::string lines = hello_line("eu-1") + tick_line(1);
    CHECK(converse_tls(site.address(), as(ca, "/CN=x", "DNS:a.eu.example,DNS:b"), lines)
              .ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    CHECK(one(site.sql(), "SELECT tenant_id FROM price_telemetry") == tenant);
    CHECK(converse_tls(site.address(), as(ca, "/CN=x", "DNS:a.eu.example"), hello_line("us-1"))
              .contains("\"code\":\"unauthorized\""));
    CHECK(converse_tls(site.address(), as(ca, "/CN=us-feed", {}), hello_line("us-1"))
              .contains("welcome"));
    CHECK(converse_tls(site.address(), as(ca, "/CN=us-feed2", {}), lines)
              .contains("\"code\":\"unauthenticated\""));
    CHECK(converse_tls(site.address(), as(ca, "/CN=us-feed", {}), tick_line(1))
              .contains("\"code\":\"unauthenticated\""));
    // One of another authority, or none at all, does not even get to speak.
    const tls_client_options none{.ca = ca.file()};
    CHECK_FALSE(converse_tls(site.address(), as(stranger, "/CN=us-feed", {}), hello_line("us-1"))
                    .contains("welcome"));
    CHECK_FALSE(converse_tls(site.address(), none, hello_line("us-1")).contains("welcome"));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "1");
}

TEST_CASE("certificates are replaced while sessions go on") {
    const test_ca ca;
    const key_pair files = ca.issue("live", "/CN=first", "IP:127.0.0.1");
    ingest_site site({}, listener(files));
    const tls_client_options options{.ca = ca.file()};
    tls_client open(site.address(), options);
    CHECK(open.peer_name() == "first");
    open.send(hello_line("p") + ticks(1000));
    REQUIRE(site.await_records(1000));

    static_cast<void>(ca.issue("live", "/CN=second", "IP:127.0.0.1"));
    ::kill(site.daemon().pid(), SIGHUP);
    REQUIRE(site.daemon().await_logged("reload: changed: nothing"));
    CHECK(tls_client(site.address(), options).peer_name() == "second");

    // A file that cannot be used changes nothing.
    std::filesystem::resize_file(files.certificate, 10);
    ::kill(site.daemon().pid(), SIGHUP);
    REQUIRE(site.daemon().await_logged("reload: nothing was changed"));
    CHECK(tls_client(site.address(), options).peer_name() == "second");

    open.send(tick_line(1001));
    open.finish();
    CHECK(open.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":1001}\n"));
}

TEST_CASE("certificates are replaced under load") {
    const test_ca ca;
    const key_pair files = ca.issue("live", "/CN=0", "IP:127.0.0.1");
    ingest_site site({}, listener(files));
    temporary_folder folder;
    const std::string input = folder.write("ticks", [] {
        std::string lines;
        for (int i = 1; i <= 20'000; ++i) {
            lines += std::format("{{\"symbol\":\"S\",\"bid\":{},\"ask\":1}}\n", i);
        }
        return lines;
    }());
    std::thread sender([&] {
        const ended_process sent =
            run_tickd({"send", input, "--to", site.address(), "--producer", "p", "--tls", "--ca",
                       ca.file(), "--rate", "10000", "--no-progress"});
        INFO(sent.err);
        CHECK(sent.exit_code == 0);
    });
    REQUIRE(site.await_records(1));
    for (int i = 1; i <= 5; ++i) {
        static_cast<void>(ca.issue("live", std::format("/CN={}", i), "IP:127.0.0.1"));
        ::kill(site.daemon().pid(), SIGHUP);
        REQUIRE(await_condition([&] {
            return tls_client(site.address(), {.ca = ca.file()}).peer_name() == std::to_string(i);
        }));
    }
    sender.join();
    CHECK(stored(site) == "20000 20000");
    // The one session that was opened lasted to the end.
    CHECK(one(site.sql(), "SELECT duplicates FROM tickd.producer") == "0");
}

TEST_CASE("tickd send speaks TLS with whom it should, and shows token and certificate") {
    const test_ca ca, stranger;
    ingest_site site({}, listener(ca.server(), "    auth: token\n") +
                             listener(ca.issue("wrong", "/CN=wrong", "DNS:elsewhere.example"),
                                      "    name: wrong\n"));
    const tenant_site tenants(site);
    temporary_folder folder;
    const std::string token = folder.write("token", tenants.token("feed") + "\n");
    const std::string input = folder.write("ticks", "{\"symbol\":\"S\",\"bid\":1,\"ask\":2}\n");
    const auto send = [&](std::size_t at, const std::vector<std::string>& more) {
        std::vector<std::string> all{
            "send", input,           "--to", site.address(at), "--give-up-after",
            "1",    "--no-progress", "--tls"};
        all.insert(all.end(), more.begin(), more.end());
        return run_tickd(all);
    };
    const std::vector<std::string> good{"--ca", ca.file(),      "--producer",
                                        "p",    "--token-file", token};
    CHECK(send(0, good).exit_code == 0);
    CHECK(send(0, {"--ca", ca.file(), "--producer", "p"}).exit_code == 77);
    const ended_process other_ca = send(0, {"--ca", stranger.file()});
    CHECK(other_ca.exit_code == 69);
    CHECK(other_ca.err.contains("certificate"));
    const ended_process other_host = send(1, {"--ca", ca.file()});
    CHECK(other_host.exit_code == 69);
    CHECK(other_host.err.contains("IP address mismatch"));
    CHECK(stored(site) == "1 1");
}

TEST_CASE("stopping tells a TLS session to drain, and closes it in order") {
    const test_ca ca;
    ingest_site site({}, listener(ca.server()));
    tls_client client(site.address(), {.ca = ca.file()});
    client.send(hello_line("p") + ticks(5000));
    REQUIRE(site.await_records(5000));
    CHECK(site.daemon().stop() == 0);
    const std::string said = client.read_to_end().value_or("");
    CHECK(said.contains("{\"type\":\"drain\"}"));
    const std::string watermark = one(site.sql(), "SELECT watermark FROM tickd.producer");
    // Before the drain or behind it: whichever came first.
    const std::size_t last_ack = said.rfind("{\"type\":\"ack\"");
    REQUIRE(last_ack != std::string::npos);
    CHECK(said.substr(last_ack).starts_with("{\"type\":\"ack\",\"seq\":" + watermark + "}\n"));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == watermark);
}

TEST_CASE("the way to the database is checked to its name") {
    private_cluster cluster;
    const test_ca ca, stranger;
    // An address of this process's own: the port is every cluster's.
    const std::string host =
        std::format("127.{}.{}.1", 1 + ::getpid() / 256 % 250, ::getpid() % 256);
    const key_pair files = ca.issue("db", "/CN=db", "IP:" + host);
    tickd::pg_connection root = connect(cluster.conninfo());
    for (const auto& [from, to] :
         {std::pair(files.certificate, "server.crt"), std::pair(files.key, "server.key")}) {
        const std::filesystem::path target = cluster.directory() + "/data/" + to;
        std::filesystem::copy_file(from, target);
        std::filesystem::permissions(target, std::filesystem::perms::owner_read);
        const auto folder = cluster.directory();
        if (::getuid() == 0) {
            struct stat owner{};
            REQUIRE(::stat(folder.c_str(), &owner) == 0);
            REQUIRE(::chown(target.c_str(), owner.st_uid, owner.st_gid) == 0);
        }
    }
    run(root, "ALTER SYSTEM SET ssl = on");
    run(root, "ALTER SYSTEM SET listen_addresses = '" + host + "'");
    cluster.stop(stop_mode::fast);
    cluster.start();
    migrate_by_command(cluster.conninfo());

    const auto database = [&](const std::string& authority, const std::string& address) {
        return std::format(
            "host=other hostaddr={} dbname=tickd user=tickd_ingest sslmode=verify-full"
            " sslrootcert={}",
            address, authority);
    };
    const auto by_address = [&](const std::string& authority) {
        return std::format(
            "host={} dbname=tickd user=tickd_ingest sslmode=verify-full"
            " sslrootcert={}",
            host, authority);
    };
    daemon_process daemon(daemon_yaml(by_address(ca.file())));
    CHECK(converse(daemon.address(), hello_line("p") + tick_line(1))
              .ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    tickd::pg_connection again = connect(cluster.conninfo());
    CHECK(one(again,
              "SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
              " WHERE a.usename = 'tickd_ingest'") == "t");
    CHECK(daemon.stop() == 0);

    const auto reaches = [](const std::string& conninfo) {
        tickd::pg_target target;
        target.conninfo = conninfo;
        return tickd::pg_connection::connect(target).has_value();
    };
    CHECK(reaches(by_address(ca.file())));
    CHECK_FALSE(reaches(by_address(stranger.file())));
    CHECK_FALSE(reaches(database(ca.file(), host)));  // another name than the certificate's
}
