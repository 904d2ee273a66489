// Many connections at once, their lines cut anywhere and mixed by kind: each keeps its order, none
// loses or doubles a record, and none suffers from another.
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

constexpr int connections = 20;
constexpr int records_each = 4'000;

// Record k of a connection: mostly ticks, some events, some refused.
std::string line_of(int connection, int k) {
    switch (k % 10) {
        case 7:
            return std::format("{{\"action_type\":\"c{}\",\"action_payload\":{}}}\n", connection,
                               k);
        case 9: return std::format("{{\"symbol\":\"c{}\",\"bid\":{},\"ask\":}}\n", connection, k);
        default: return std::format("{{\"symbol\":\"c{}\",\"bid\":{},\"ask\":1}}\n", connection, k);
    }
}

void feed(const std::string& address, int connection) {
    std::mt19937 random(static_cast<unsigned>(connection));
    tcp_client client(address);
    std::string stream;
    for (int k = 0; k < records_each; ++k) stream += line_of(connection, k);
    for (std::string_view left = stream; !left.empty();) {
        const std::string_view piece = left.substr(0, 1 + random() % 3'000);
        client.send(piece);
        left.remove_prefix(piece.size());
    }
}

void expect_all(ingest_site& site) {
    constexpr int all = connections * records_each;
    REQUIRE(site.await_records(all));
    const std::string ticks = std::to_string(records_each * 8 / 10);
    CHECK(rows(site.sql(),
               "SELECT DISTINCT count(*), count(DISTINCT bid)"
               " FROM price_telemetry GROUP BY symbol") == text_rows{{ticks, ticks}});
    CHECK(one(site.sql(), "SELECT count(DISTINCT symbol) FROM price_telemetry") ==
          std::to_string(connections));
    // A connection's events keep their order among those of the others.
    CHECK(one(site.sql(), R"(
              SELECT count(*) || ' ' || bool_and(action_payload::int > coalesce(before, -1))
                FROM (SELECT action_payload, lag(action_payload::int)
                             OVER (PARTITION BY action_type ORDER BY id) AS before
                        FROM unified_activity_log) AS with_before)") ==
          std::to_string(all / 10) + " true");
    CHECK(one(site.sql(),
              "SELECT count(*) || ' ' || count(DISTINCT raw) || ' ' ||"
              " count(DISTINCT session_id) FROM tickd.dead_letter"
              " WHERE verdict = 'not_json'") ==
          std::format("{} {} {}", all / 10, all / 10, connections));
}

}  // namespace

TEST_CASE("twenty connections at once", "[ingest_connections]") {
    for (const std::string lanes : {"1", "3"}) {
        INFO("lanes: " << lanes);
        ingest_site site("lanes:\n  count: " + lanes);
        std::vector<std::thread> feeds;
        for (int i = 0; i < connections; ++i) {
            feeds.emplace_back([&, i] { feed(site.address(), i); });
        }
        for (std::thread& each : feeds) each.join();
        expect_all(site);
        CHECK(site.daemon().stop() == 0);
    }
}

TEST_CASE("a connection that stops in the middle of a line holds up nobody",
          "[ingest_connections]") {
    ingest_site site;
    tcp_client stuck(site.address());
    stuck.send("{\"symbol\":\"stuck\",\"bid\":1,\"a");
    tcp_client silent(site.address());
    tcp_client client(site.address());
    client.send("{\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n");
    REQUIRE(site.await_records(1));
    stuck.send("sk\":2}\n");
    REQUIRE(site.await_records(2));
    CHECK(rows(site.sql(), "SELECT symbol FROM price_telemetry ORDER BY symbol") ==
          text_rows{{"S"}, {"stuck"}});
    CHECK(site.daemon().stop() == 0);
    CHECK(silent.read_to_end() == "");
}
