// A producer that sends and never reads what it is told.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

std::string hello(const std::string& producer) {
    return R"({"type":"hello","producer":")" + producer + "\"}\n";
}

// Sends until the daemon closes, or so many lines are taken. True: it has closed.
bool send_until_closed(tcp_client& client, const std::string& line_behind_seq, int lines_max) {
    for (int seq = 1; seq <= lines_max;) {
        std::string lines;
        for (const int end = seq + 200; seq < end; ++seq) {
            lines += "{\"seq\":" + std::to_string(seq) + line_behind_seq;
        }
        std::string_view rest = lines;
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (!rest.empty()) {
            const auto taken = client.send_some(rest);
            if (!taken) return true;
            rest.remove_prefix(*taken);
            if (*taken == 0 && !client.await_writable(std::chrono::milliseconds(200)) &&
                std::chrono::steady_clock::now() > give_up) {
                return false;
            }
        }
    }
    return false;
}

}  // namespace

TEST_CASE("a producer that reads no rejects is closed, and its lane goes on") {
    ingest_site site;  // one lane: both producers are on it
    tcp_client deaf(site.address());
    deaf.send(hello("deaf"));
    CHECK(send_until_closed(deaf, ",\"symbol\":\"\"}\n", 2'000'000));

    tcp_client other(site.address());
    other.send(hello("other") + "{\"seq\":1,\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n");
    other.finish();
    CHECK(other.read_to_end().value_or("").ends_with("{\"type\":\"ack\",\"seq\":1}\n"));
    // What it was not told of is settled all the same.
    CHECK(one(site.sql(),
              "SELECT dead_lettered > 10000 AND dead_lettered = received AND watermark = received"
              " FROM tickd.producer WHERE producer = 'deaf'") == "t");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a producer that reads no acks is not closed: they coalesce") {
    ingest_site site;
    tcp_client deaf(site.address());
    std::string lines = hello("deaf");
    for (int seq = 1; seq <= 100'000; ++seq) {
        lines += "{\"seq\":" + std::to_string(seq) + ",\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n";
    }
    deaf.send(lines);
    REQUIRE(site.await_records(100'000));
    deaf.finish();
    const std::string said = deaf.read_to_end().value_or("");
    CHECK(said.ends_with("{\"type\":\"ack\",\"seq\":100000}\n"));
    CHECK(said.size() < 100'000);
    CHECK(site.daemon().stop() == 0);
}
