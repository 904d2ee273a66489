// `tickd send --producer` and the Python example: the reference clients, through every kind of end.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdio>
#include <format>
#include <string>
#include <thread>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"

using namespace tickd::test;

namespace {

std::string lines(int count) {
    std::string text;
    for (int i = 1; i <= count; ++i) {
        text += std::format("{{\"symbol\":\"S\",\"bid\":{},\"ask\":1}}\n", i);
    }
    return text;
}

std::string stored(ingest_site& site) {
    return one(site.sql(), "SELECT count(*) || ' ' || count(DISTINCT bid) FROM price_telemetry");
}

ended_process send(const std::string& file, const ingest_site& site, const std::string& more = {}) {
    std::vector<std::string> arguments{"send",         file,         "--to",
                                       site.address(), "--producer", "sender"};
    if (!more.empty()) arguments.push_back(more);
    return run_tickd(arguments);
}

}  // namespace

TEST_CASE("send --producer ends when everything is settled, and a second run sends nothing") {
    ingest_site site;
    const temporary_folder folder;
    const std::string file = folder.write("ticks.ndjson", lines(20'000));
    const ended_process first = send(file, site);
    CHECK(first.exit_code == 0);
    CHECK(first.err.contains("settled 20,000 lines (0 rejected, 0 resent)"));
    CHECK(stored(site) == "20000 20000");
    const ended_process second = send(file, site);
    CHECK(second.exit_code == 0);
    CHECK(second.err.contains("20,000 were settled before"));
    CHECK(stored(site) == "20000 20000");
}

TEST_CASE("send --producer names what is rejected") {
    ingest_site site;
    const temporary_folder folder;
    const std::string file = folder.write(
        "ticks.ndjson", lines(10) + "{\"symbol\":\"S\",\"bid\":\"x\",\"ask\":1}\n{}\n" + lines(1));
    const ended_process sent = send(file, site);
    CHECK(sent.exit_code == 0);
    CHECK(sent.err.contains("rejected: seq 11: not_decimal bid"));
    CHECK(sent.err.contains("rejected: seq 12: unknown_type"));
    CHECK(sent.err.contains("settled 13 lines (2 rejected, 0 resent)"));
    CHECK(one(site.sql(), "SELECT count(*) FROM tickd.dead_letter") == "2");
}

TEST_CASE("send --producer goes on where a killed daemon left off") {
    const temporary_folder folder;
    // The daemon that comes after has to be where the first was.
    ingest_site site({}, "  - address: \"unix:" + folder.file("feed.sock") + "\"\n");
    const std::string file = folder.write("ticks.ndjson", lines(200'000));
    ended_process sent;
    std::thread sender([&] { sent = send(file, site); });
    const bool begun = await_condition(
        [&] { return one(site.sql(), "SELECT count(*) > 0 FROM price_telemetry") == "t"; });
    site.daemon().kill_hard();
    site.start_again();
    sender.join();
    REQUIRE(begun);
    CHECK(sent.exit_code == 0);
    CHECK(stored(site) == "200000 200000");
}

TEST_CASE("send --producer without a daemon gives up with the code of an unavailable service") {
    const temporary_folder folder;
    const ended_process sent = run_tickd({"send", folder.write("ticks.ndjson", lines(1)), "--to",
                                          "unix:" + folder.file("nobody.sock"), "--producer", "p",
                                          "--give-up-after", "1"});
    CHECK(sent.exit_code == 69);
}

TEST_CASE("the Python feed handler speaks the same protocol") {
    ingest_site site;
    const temporary_folder folder;
    const std::string file = folder.write("ticks.ndjson", lines(5'000));
    const std::string command =
        std::format("python3 {}/examples/feed_handler.py {} py-feed < {} 2>&1", TICKD_SOURCE_DIR,
                    site.address(), file);
    std::FILE* const python = ::popen(command.c_str(), "r");
    REQUIRE(python != nullptr);
    std::array<char, 4096> said{};
    const std::size_t length = std::fread(said.data(), 1, said.size(), python);
    const int status = ::pclose(python);
    INFO(std::string_view(said.data(), length));
    CHECK(status == 0);
    CHECK(std::string_view(said.data(), length).contains("settled 5000, rejected 0"));
    CHECK(stored(site) == "5000 5000");
}
