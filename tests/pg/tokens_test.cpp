// Listeners that ask for a token: who gets in, as whom, for how long.
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <format>
#include <string>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"
#include "tests/support/tenant_site.h"

using namespace tickd::test;

namespace {

constexpr const char* token_listener = "  - address: 127.0.0.1:0\n    auth: token\n";

struct fixture {
    ingest_site site{{}, token_listener};
    tenant_site tenants{site};
};

bool says_error(const std::string& said, std::string_view code) {
    return said.starts_with(std::format("{{\"type\":\"error\",\"code\":\"{}\",", code));
}

}  // namespace

TEST_CASE_METHOD(fixture, "without a good token nobody gets in") {
    const std::string good = tenants.token("feed");
    for (const std::string& lines :
         {tick_line(1), std::string("no JSON\n"), std::string("\n"), hello_line("p") + tick_line(1),
          hello_line("p", "tickd_wrong") + tick_line(1),
          hello_line("p", good.substr(0, good.size() - 1)) + tick_line(1),
          hello_line("p", good + "0") + tick_line(1)}) {
        INFO(lines);
        CHECK(says_error(converse(site.address(), lines), "unauthenticated"));
    }
    CHECK(says_error(converse(site.address(), "{\"type\":\"hello\"}\n"), "bad_hello"));
    CHECK(converse(site.address(), hello_line("p", good) + tick_line(1))
              .ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "1");
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "0");
}

TEST_CASE_METHOD(fixture, "a secret is told once, and kept nowhere") {
    const std::string secret = tenants.token("feed");
    CHECK(converse(site.address(), hello_line("p", secret)).contains("welcome"));
    CHECK_FALSE(site.daemon().log().contains(secret.substr(6)));
    CHECK_FALSE(tenants.tenant({"token", "list", "--json"}).out.contains(secret.substr(6)));
    CHECK(one(site.sql(),
              "SELECT encode(sha256($1::bytea), 'hex')"
              " = encode(secret_sha256, 'hex') FROM tickd.token",
              {secret}) == "t");
}

TEST_CASE_METHOD(fixture, "the token decides whose the records are, and the payload does not") {
    const std::string alpha = tenants.add("alpha"), bravo = tenants.add("bravo");
    const std::string secret = tenants.token("feed", {"--tenant", "alpha"});
    const auto naming = [](const std::string& tenant) { return ",\"tenant\":\"" + tenant + '"'; };
    const std::string said =
        converse(site.address(), hello_line("p", secret) + tick_line(1) +
                                     tick_line(2, naming(alpha)) + tick_line(3, naming(bravo)));
    CHECK(said.contains("{\"type\":\"reject\",\"seq\":3,\"verdict\":\"tenant_not_allowed\","));
    CHECK(said.ends_with("{\"type\":\"ack\",\"seq\":3}\n"));
    CHECK(rows(site.sql(), "SELECT bid::int, tenant_id FROM price_telemetry ORDER BY 1") ==
          text_rows{{"1", alpha}, {"2", alpha}});
    CHECK(rows(site.sql(), "SELECT tenant_id, seq, verdict FROM tickd.dead_letter") ==
          text_rows{{alpha, "3", "tenant_not_allowed"}});
    CHECK(rows(site.sql(),
               "SELECT tenant_id, received, committed, dead_lettered"
               " FROM tickd.producer") == text_rows{{alpha, "3", "2", "1"}});
}

TEST_CASE_METHOD(fixture, "a trusted token may name tenants, and only one that belongs to none") {
    const std::string alpha = tenants.add("alpha");
    CHECK(
        tenants.tenant({"token", "new", "x", "--tenant", "alpha", "--may-name-tenant"}).exit_code ==
        64);
    const std::string secret = tenants.token("gateway", {"--may-name-tenant"});
    static_cast<void>(converse(site.address(), hello_line("p", secret) + tick_line(1) +
                                                   tick_line(2, ",\"tenant\":\"" + alpha + '"')));
    CHECK(rows(site.sql(), "SELECT bid::int, tenant_id FROM price_telemetry ORDER BY 1") ==
          text_rows{{"1", "\\N"}, {"2", alpha}});
}

TEST_CASE_METHOD(fixture, "a producer that the token does not cover is refused") {
    const std::string secret =
        tenants.token("feed", {"--producer", "feed-a", "--producer", "eu-*"});
    CHECK(converse(site.address(), hello_line("feed-a", secret)).contains("welcome"));
    CHECK(converse(site.address(), hello_line("eu-7", secret)).contains("welcome"));
    CHECK(says_error(converse(site.address(), hello_line("feed-b", secret)), "unauthorized"));
}

TEST_CASE_METHOD(fixture, "two tenants' producers of one name share nothing") {
    tenants.add("alpha");
    tenants.add("bravo");
    const std::string one_token = tenants.token("a", {"--tenant", "alpha"}),
                      other_token = tenants.token("b", {"--tenant", "bravo"}),
                      shared_token = tenants.token("c");
    const std::string event = R"("action_type":"x","action_payload":{"n":1}})"
                              "\n";
    const auto send = [&](const std::string& token, int last) {
        std::string lines = hello_line("feed", token);
        for (int seq = 1; seq < last; ++seq) lines += tick_line(seq);
        return converse(site.address(), lines + std::format("{{\"seq\":{},{}", last, event));
    };
    for (const int last : {10, 20}) {
        CHECK(send(one_token, last).ends_with(std::format("\"seq\":{}}}\n", last)));
        CHECK(send(other_token, last + 3).ends_with(std::format("\"seq\":{}}}\n", last + 3)));
        CHECK(send(shared_token, last + 5).ends_with(std::format("\"seq\":{}}}\n", last + 5)));
    }
    CHECK(rows(site.sql(),
               "SELECT p.producer, t.name, watermark, duplicates FROM tickd.producer p"
               " LEFT JOIN tenants t USING (tenant_id) ORDER BY 2") ==
          text_rows{{"feed", "alpha", "20", "10"},
                    {"feed", "bravo", "23", "13"},
                    {"feed", "\\N", "25", "15"}});
    // While one is open, the other's does not take its place.
    tcp_client open(site.address());
    open.send(hello_line("feed", one_token) + tick_line(21));
    await(site.sql(),
          "SELECT max(watermark) FILTER (WHERE tenant_id IS NOT NULL) >= 21 AND"
          " count(*) FILTER (WHERE watermark = 21) = 1 FROM tickd.producer");
    CHECK(
        converse(site.address(), hello_line("feed", other_token)).contains("\"resume_after\":23"));
    open.send(tick_line(22));
    open.finish();
    CHECK(open.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":22}\n"));
    // The activity log tells them apart, too.
    temporary_folder folder;
    const std::string config = folder.write(
        "c.yaml",
        daemon_yaml(shared_cluster().conninfo(one(site.sql(), "SELECT current_database()"))));
    const ended_process verified = run_tickd({"--config", config, "verify", "activity"});
    INFO(verified.out);
    CHECK(verified.exit_code == 0);
}

TEST_CASE_METHOD(fixture, "a revoked token ends its open sessions and no others") {
    const std::string gone = tenants.token("gone"), stays = tenants.token("stays");
    tcp_client ending(site.address()), staying(site.address());
    ending.send(hello_line("p", gone) + tick_line(1));
    staying.send(hello_line("q", stays) + tick_line(1));
    REQUIRE(site.await_records(2));
    CHECK(tenants.tenant({"token", "revoke", "gone"}).exit_code == 0);
    const std::string said = ending.read_to_end().value_or("the daemon did not close");
    CHECK(said.contains("{\"type\":\"ack\",\"seq\":1}"));
    CHECK(said.contains("\"code\":\"unauthenticated\""));
    CHECK(says_error(converse(site.address(), hello_line("p", gone)), "unauthenticated"));
    staying.send(tick_line(2));
    staying.finish();
    CHECK(staying.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":2}\n"));
    // Once is enough.
    CHECK(tenants.tenant({"token", "revoke", "gone"}).exit_code == 65);
}

TEST_CASE_METHOD(fixture, "a token's end is the end of its sessions") {
    const std::string secret = tenants.token("brief", {"--valid-for", "1h"});
    tcp_client client(site.address());
    client.send(hello_line("p", secret) + tick_line(1));
    REQUIRE(site.await_records(1));
    run(site.sql(), "UPDATE tickd.token SET expires_at = clock_timestamp() + interval '1 second'");
    CHECK(client.read_to_end().value_or("").contains("\"code\":\"unauthenticated\""));
    CHECK(says_error(converse(site.address(), hello_line("p", secret)), "unauthenticated"));
}

TEST_CASE_METHOD(fixture, "a tenant that is removed sends no more") {
    tenants.add("alpha");
    const std::string secret = tenants.token("feed", {"--tenant", "alpha"});
    tcp_client client(site.address());
    client.send(hello_line("p", secret) + tick_line(1));
    REQUIRE(site.await_records(1));
    CHECK(tenants.tenant({"remove", "alpha"}).exit_code == 64);
    CHECK(tenants.tenant({"remove", "alpha", "--yes"}).exit_code == 0);
    CHECK(client.read_to_end().value_or("").contains("\"code\":\"unauthenticated\""));
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.token") == "0");
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "1");
}

TEST_CASE("while tokens have never been read, senders are told to come back") {
    daemon_process daemon(daemon_yaml("host=/nonexistent dbname=tickd",
                                      "limits:\n  handshake_timeout: 300ms\n", token_listener));
    CHECK(says_error(converse(daemon.address(), hello_line("p", "tickd_x")), "unavailable"));
    CHECK(daemon.stop() == 0);
}

TEST_CASE("a local user is known by the kernel's word") {
    temporary_folder folder;
    const std::string tenant = "01234567-89ab-cdef-0123-456789abcdef";
    const auto listen = [&](const char* name) {
        return std::format("  - address: unix:{}\n    auth: peer\n", folder.file(name));
    };
    const auto identities = [&](uid_t user) {
        return std::format(
            "identities:\n  - name: me\n    user: {}\n    tenant: {}\n    producers: feed-*\n",
            user, tenant);
    };
    {
        ingest_site site(identities(::getuid()), listen("a"));
        CHECK(converse(site.address(), hello_line("feed-1") + tick_line(1))
                  .ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
        CHECK(says_error(converse(site.address(), hello_line("x")), "unauthorized"));
        CHECK(says_error(converse(site.address(), tick_line(1)), "unauthenticated"));
        CHECK(one(site.sql(), "SELECT tenant_id FROM price_telemetry") == tenant);
    }
    ingest_site site(identities(::getuid() + 4242), listen("b"));
    CHECK(says_error(converse(site.address(), hello_line("feed-1")), "unauthenticated"));
}

TEST_CASE_METHOD(fixture, "roles are made, mapped, listed with what is wrong, and taken back") {
    tenants.add("alpha");
    temporary_folder folder;
    const std::string database = one(site.sql(), "SELECT current_database()");
    const std::string config =
        folder.write("c.yaml", daemon_yaml(shared_cluster().conninfo(database)));
    const auto as_root = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--config", config, "tenant", "role"});
        return run_tickd(arguments);
    };
    CHECK(as_root({"add", "tokens_test_reader", "--tenant", "alpha"}).exit_code == 0);
    CHECK(as_root({"add", "tokens_test_pool", "--pooler"}).exit_code == 0);
    CHECK(as_root({"add", "tokens_test_pool", "--pooler"}).exit_code == 65);
    CHECK(as_root({"add", "tokens_test_pool"}).exit_code == 64);
    CHECK(as_root({"add", "postgres", "--tenant", "alpha"}).exit_code == 0);
    CHECK(rows(site.sql(),
               "SELECT role_name, tenant, is_pooler, trouble"
               " FROM tickd.list_tenant_roles() ORDER BY 1") ==
          text_rows{{"postgres", "alpha", "f", "a superuser: sees every tenant"},
                    {"tokens_test_pool", "\\N", "t", "\\N"},
                    {"tokens_test_reader", "alpha", "f", "\\N"}});
    tickd::pg_connection reader =
        connect(shared_cluster().conninfo(database, "tokens_test_reader"));
    CHECK(one(reader, "SELECT tickd.current_tenant() = (SELECT tenant_id FROM tenants)") == "t");
    // An operator maps roles, and makes none.
    CHECK(tenants.tenant({"role", "add", "tokens_test_third", "--tenant", "alpha"}).exit_code ==
          77);
    CHECK(tenants.tenant({"role", "remove", "tokens_test_reader"}).exit_code == 0);
    CHECK(tenants.tenant({"role", "remove", "tokens_test_reader"}).exit_code == 65);
    CHECK(tenants.tenant({"list"}).out.contains("alpha"));
}
