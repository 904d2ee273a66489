// A connection's sense of a peer that is gone, over TCP and a gate that stops.
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_gate.h"

using namespace tickd;
using namespace tickd::test;

namespace {

int tcp_option(const pg_connection& of, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(PQsocket(of.native()), IPPROTO_TCP, option, &value, &size) == 0);
    return value;
}

struct gated_target {
    tcp_gate gate{"unix:" + shared_cluster().directory() + "/.s.PGSQL.5432"};
    pg_target target;
    gated_target() {
        target.conninfo = shared_cluster().conninfo() +
                          " host=127.0.0.1 sslmode=disable port=" + std::to_string(gate.port());
    }
};

}  // namespace

TEST_CASE("a connection probes a silent peer within seconds, unless the conninfo says otherwise") {
    gated_target at;
    const auto connected = pg_connection::connect(at.target);
    REQUIRE(connected);
    CHECK(tcp_option(*connected, TCP_KEEPIDLE) == 5);
    CHECK(tcp_option(*connected, TCP_KEEPINTVL) == 2);
    CHECK(tcp_option(*connected, TCP_KEEPCNT) == 3);
    at.target.conninfo += " keepalives_idle=77";
    const auto other = pg_connection::connect(at.target);
    REQUIRE(other);
    CHECK(tcp_option(*other, TCP_KEEPIDLE) == 77);
}

TEST_CASE("a server that stops answering is given up after stall_limit") {
    gated_target at;
    at.target.stall_limit = std::chrono::milliseconds(300);
    auto connected = pg_connection::connect(at.target);
    REQUIRE(connected);
    const auto answer = connected->query("SELECT $1::int + 1", {"41"});
    REQUIRE(answer);
    CHECK(answer->integer(0, 0) == 42);
    CHECK(connected->exec("SELECT 1; SELECT 1/0").error().sqlstate == "22012");
    at.gate.hold(true);
    const auto silence = connected->query("SELECT 1");
    REQUIRE_FALSE(silence);
    CHECK(silence.error().connection_lost);
    CHECK(silence.error().message == "no word from the server for 300 ms");
}

TEST_CASE("a session that must be able to write does not take a server that cannot") {
    auto sql = connect(shared_cluster().conninfo());
    run(sql,
        "CREATE ROLE reads_only LOGIN; ALTER ROLE reads_only"
        " SET default_transaction_read_only = on");
    pg_target target;
    target.conninfo = as_user(shared_cluster().conninfo(), "reads_only");
    CHECK(pg_connection::connect(target));
    target.session_attrs = "read-write";
    CHECK_FALSE(pg_connection::connect(target));
    target.conninfo += " target_session_attrs=any";
    CHECK(pg_connection::connect(target));
}
