// Limits: who sends too much, too slowly or never to an end is held up or let go, and the others
// are served. Told by counts and by who is done before whom, not by clocks.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"
#include "tests/support/tenant_site.h"

using namespace tickd::test;

namespace {

std::string ticks(int first, int last) {
    std::string lines;
    for (int seq = first; seq <= last; ++seq) lines += tick_line(seq);
    return lines;
}

std::string ack(int seq) { return std::format("{{\"type\":\"ack\",\"seq\":{}}}\n", seq); }

long watermark(ingest_site& site, const std::string& producer) {
    return std::stol(one(
        site.sql(), "SELECT coalesce(max(watermark), 0) FROM tickd.producer WHERE producer = $1",
        {producer}));
}

// As much as kernels take while the daemon reads what it will.
void send_what_goes(tcp_client& client, std::string_view lines) {
    while (!lines.empty()) {
        const std::size_t taken = client.send_some(lines).value_or(0);
        if (taken == 0) return;
        lines.remove_prefix(taken);
    }
}

std::size_t descriptors(const daemon_process& daemon) {
    std::size_t count = 0;
    const auto folder = std::format("/proc/{}/fd", daemon.pid());
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

// What `ss` says of the daemon's ends of connections to this address.
std::string sockets_at(const std::string& address) {
    const std::string command = std::format("ss -tnoH state established sport = :{}",
                                            address.substr(address.rfind(':') + 1));
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    REQUIRE(pipe != nullptr);
    std::string said;
    std::array<char, 4096> part{};
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe.get())) {
        said.append(part.data(), got);
    }
    return said;
}

}  // namespace

TEST_CASE("a session over its rate is read later, and no other pays") {
    ingest_site site("limits:\n  session_lines_per_second: 10\n", "  - address: 127.0.0.1:0\n");
    // Hours' worth, of which one read brings a part.
    tcp_client greedy(site.address());
    send_what_goes(greedy, hello_line("greedy") + ticks(1, 60'000));
    REQUIRE(await_condition([&] { return watermark(site, "greedy") > 0; }));
    const long before = watermark(site, "greedy");
    for (int i = 0; i < 20; ++i) {
        CHECK(converse(site.address(), hello_line("modest") + ticks(5 * i + 1, 5 * i + 5))
                  .ends_with(ack(5 * i + 5)));
    }
    CHECK(watermark(site, "modest") == 100);
    // A read is 128 KiB: some 3,000 lines, taken whole and paid for in five minutes.
    CHECK(before < 4000);
    CHECK(watermark(site, "greedy") < 10'000);
}

TEST_CASE("a tenant's sessions share its rate, and another's do not feel it") {
    ingest_site site("limits:\n  tenant_bytes_per_second: 4KiB\n",
                     "  - address: 127.0.0.1:0\n    auth: token\n");
    const tenant_site tenants(site);
    tenants.add("greedy");
    tenants.add("modest");
    const std::string greedy = tenants.token("g", {"--tenant", "greedy"}),
                      modest = tenants.token("m", {"--tenant", "modest"});
    std::vector<std::unique_ptr<tcp_client>> many;
    for (const std::string name : {"a", "b", "c", "d"}) {
        many.push_back(std::make_unique<tcp_client>(site.address()));
        send_what_goes(*many.back(), hello_line(name, greedy) + ticks(1, 20'000));
    }
    REQUIRE(await_condition([&] {
        return one(site.sql(), "SELECT count(*) FROM tickd.producer WHERE watermark > 0") == "4";
    }));
    for (int i = 0; i < 20; ++i) {
        CHECK(converse(site.address(), hello_line("m", modest) + ticks(5 * i + 1, 5 * i + 5))
                  .ends_with(ack(5 * i + 5)));
    }
    CHECK(one(site.sql(),
              "SELECT sum(committed) < 40000 FROM tickd.producer WHERE producer <> 'm'") == "t");
}

TEST_CASE("a tenant has so many sessions and no more") {
    ingest_site site("limits:\n  tenant_sessions: 2\n",
                     "  - address: 127.0.0.1:0\n    auth: token\n");
    const tenant_site tenants(site);
    tenants.add("one");
    tenants.add("other");
    const std::string token = tenants.token("t", {"--tenant", "one"}),
                      other = tenants.token("o", {"--tenant", "other"});
    auto first = std::make_unique<tcp_client>(site.address());
    tcp_client second(site.address());
    first->send(hello_line("a", token) + tick_line(1));
    second.send(hello_line("b", token) + tick_line(1));
    REQUIRE(site.await_records(2));
    CHECK(converse(site.address(), hello_line("c", token)).contains("\"too_many_sessions\""));
    CHECK(converse(site.address(), hello_line("c", other)).contains("welcome"));
    first->finish();
    CHECK(first->read_to_end().value_or("").ends_with(ack(1)));
    CHECK(await_condition(
        [&] { return converse(site.address(), hello_line("c", token)).contains("welcome"); }));
}

TEST_CASE("who does not come to the point is let go, and its descriptor with it") {
    ingest_site site("limits:\n  handshake_timeout: 1s\n",
                     "  - address: 127.0.0.1:0\n    auth: token\n    sessions_max: 100\n");
    const tenant_site tenants(site);
    const std::string token = tenants.token("t");
    const std::size_t before = descriptors(site.daemon());
    std::vector<std::unique_ptr<tcp_client>> slow;
    for (std::size_t i = 0; i < 90; ++i) {
        slow.push_back(std::make_unique<tcp_client>(site.address()));
        slow.back()->send(std::string_view("{\"type\":\"hello\"").substr(0, 1 + i % 14));
    }
    CHECK(converse(site.address(), hello_line("p", token) + tick_line(1)).ends_with(ack(1)));
    for (const auto& each : slow) {
        CHECK(each->read_to_end().value_or("").contains("\"unauthenticated\""));
    }
    CHECK(await_condition([&] { return descriptors(site.daemon()) <= before + 2; }));
}

TEST_CASE("a flood of connections costs no more than there are places") {
    ingest_site site({},
                     "  - name: small\n    address: 127.0.0.1:0\n    sessions_max: 20\n"
                     "  - name: other\n    address: 127.0.0.1:0\n");
    const std::size_t before = descriptors(site.daemon());
    std::vector<std::unique_ptr<tcp_client>> flood;
    for (int i = 0; i < 400; ++i) flood.push_back(std::make_unique<tcp_client>(site.address(0)));
    CHECK(converse(site.address(1), hello_line("p") + tick_line(1)).ends_with(ack(1)));
    // Each has been accepted by now, and all but twenty been closed.
    CHECK(await_condition([&] { return descriptors(site.daemon()) <= before + 22; }));
    flood.clear();
    CHECK(await_condition([&] { return descriptors(site.daemon()) <= before + 2; }));
    CHECK(converse(site.address(0), hello_line("q") + tick_line(1)).ends_with(ack(1)));
}

TEST_CASE("an idle session is told so and closed; one that has begun a line leaves a dead letter") {
    ingest_site site("limits:\n  idle_timeout: 500ms\n", "  - address: 127.0.0.1:0\n");
    tcp_client acked(site.address()), silent(site.address()), plain(site.address());
    acked.send(hello_line("p") + tick_line(1));
    plain.send(tick_line(1) + "{\"symbol\":");
    const std::string said = acked.read_to_end().value_or("the daemon did not close");
    CHECK(said.contains(ack(1)));
    CHECK(said.contains("\"code\":\"idle_timeout\""));
    CHECK(silent.read_to_end() == "");
    CHECK(plain.read_to_end() == "");
    REQUIRE(site.await_records(3));
    CHECK(one(site.sql(), "SELECT verdict FROM tickd.dead_letter") == "line_unfinished");
}

TEST_CASE("a line that never ends costs no memory, and the others are served") {
    ingest_site site({}, "  - address: 127.0.0.1:0\n");
    CHECK(converse(site.address(), hello_line("p") + ticks(1, 2000)).ends_with(ack(2000)));
    const std::size_t before = site.daemon().resident_bytes();
    tcp_client endless(site.address());
    const std::string part(std::size_t{4} * 1024 * 1024, 'x');
    for (int i = 0; i < 50; ++i) endless.send(part);
    CHECK(converse(site.address(), hello_line("p") + tick_line(2001)).ends_with(ack(2001)));
    // 200 MiB went in. A sanitizer keeps freed memory for a while, a few buffers' worth.
    CHECK(site.daemon().resident_bytes() < before + std::size_t{48} * 1024 * 1024);
    endless.send("\n" + tick_line(1));
    endless.finish();
    REQUIRE(site.await_records(2003));
    CHECK(one(site.sql(), "SELECT verdict || ' ' || raw_length FROM tickd.dead_letter") ==
          std::format("line_too_long {}", 50 * part.size()));
}

TEST_CASE("a session with too much on its way is not read, and nothing is lost by it") {
    ingest_site site("limits:\n  session_unacked_bytes: 64KiB\n", "  - address: 127.0.0.1:0\n");
    tickd::pg_connection lock = site.connect_again();
    run(lock, "BEGIN; LOCK TABLE price_telemetry IN ACCESS EXCLUSIVE MODE");
    // More than kernels keep, and far less than the lane's blocks would hold.
    const std::string note = ",\"note\":\"" + std::string(4000, 'x') + '"';
    std::string lines = hello_line("p");
    for (int seq = 1; seq <= 6000; ++seq) lines += tick_line(seq, note);
    tcp_client client(site.address());
    std::string_view left = lines;
    while (!left.empty()) {
        const std::size_t taken = client.send_some(left).value_or(0);
        left.remove_prefix(taken);
        if (taken == 0 && !client.await_writable(std::chrono::seconds(2))) break;
    }
    CHECK(!left.empty());
    run(lock, "COMMIT");
    client.send(left);
    client.finish();
    CHECK(client.read_to_end().value_or("").ends_with(ack(6000)));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == "6000");
}

TEST_CASE("the kernel asks whether a silent peer's machine is still there") {
    ingest_site site({}, "  - address: 127.0.0.1:0\n");
    tcp_client client(site.address());
    client.send(tick_line(1));
    REQUIRE(site.await_records(1));
    const std::string said = sockets_at(site.address());
    INFO(said);
    CHECK(said.contains("timer:(keepalive,"));
    CHECK_FALSE(said.contains("119min"));  // Not the system's two hours.
}
