// `tickd-bench` with few rows: every way is run against the real server and its result is looked
// at.
#include <catch2/catch_test_macros.hpp>

#include <boost/json/parse.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace tickd::test;

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// What `tickd-bench ARGUMENTS --results FOLDER` has written, by extension.
std::map<std::string, std::string> results_of(std::vector<std::string> arguments) {
    const temporary_folder folder;
    const std::string results = folder.file("results");
    arguments.insert(arguments.begin(), TICKD_BENCH_BINARY);
    arguments.insert(arguments.end(), {"--results", results});
    const ended_process ended = run_program(arguments);
    INFO(ended.out << ended.err);
    REQUIRE(ended.exit_code == 0);
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(results)) {
        files[entry.path().extension()] = content_of(entry.path());
    }
    return files;
}

TEST_CASE("ingest loads the same rows by every way, and loses none", "[bench]") {
    const auto files =
        results_of({"ingest", "--rows", "3000", "--rsyslog-rows", "500", "--rounds", "2",
                    "--workload", "binance", "--workload", "synthetic-10000-metadata-late"});
    REQUIRE(files.contains(".json"));
    REQUIRE(files.contains(".md"));
    CHECK(files.at(".md").contains("| I1 |"));
    const json::value result = json::parse(files.at(".json"));
    CHECK(result.at("benchmark") == "ingest");
    for (const auto* fact : {"CPU", "kernel", "compiler", "flags", "tickd"}) {
        CAPTURE(fact);
        CHECK_FALSE(result.at("environment").at(fact).as_string().empty());
    }
    CHECK(result.at("settings").at("fsync") == "on");
    CHECK(result.at("settings").at("synchronous_commit") == "on");

    REQUIRE(result.at("workloads").as_array().size() == 2);
    for (const json::value& workload : result.at("workloads").as_array()) {
        std::map<std::string, std::uint64_t> rows;
        for (const json::value& way : workload.at("ways").as_array()) {
            const std::string name(way.at("way").as_string());
            CAPTURE(workload.at("name"), name);
            CHECK(way.at("ranked") == true);
            CHECK(way.at("runs").as_array().size() == 2);
            for (const json::value& run : way.at("runs").as_array()) {
                CHECK(run.at("lost") == 0);
                CHECK(run.at("doubled") == 0);
                CHECK(run.at("changed") == 0);
                CHECK(run.at("seconds").as_double() > 0);
                rows[name] = run.at("rows").to_number<std::uint64_t>();
            }
        }
        CHECK(rows == std::map<std::string, std::uint64_t>{{"tickd", 3000},
                                                           {"tickd-rows", 3000},
                                                           {"copy-binary", 3000},
                                                           {"copy-text", 3000},
                                                           {"copy-sorted", 3000},
                                                           {"rsyslog", 500}});
    }
    const auto& targets = result.at("targets").as_array();
    REQUIRE(targets.size() == 4);
    for (const json::value& target : targets) {
        CAPTURE(target.at("label"));
        CHECK(target.at("measured").at("median").as_double() > 0);
    }
}

TEST_CASE("latency measures each rate, and what segments cost the server", "[bench]") {
    const auto files =
        results_of({"latency", "--rate", "200", "10000", "--seconds", "1", "--rounds", "1"});
    const json::value result = json::parse(files.at(".json"));
    REQUIRE(result.at("rates").as_array().size() == 2);
    for (const json::value& rate : result.at("rates").as_array()) {
        const double p50 = rate.at("p50_seconds").at("median").as_double();
        CHECK(p50 > 0);
        CHECK(rate.at("p99_seconds").at("median").as_double() >= p50);
        CHECK(rate.at("most_seconds").at("median").as_double() >=
              rate.at("p999_seconds").at("median").as_double());
    }
    const json::value& server = result.at("server_cpu");
    CHECK(server.at("ticks_per_second") == 10'000);
    CHECK(server.at("rows_seconds_a_tick").at("median").as_double() > 0);
    CHECK(server.at("ratio").at("median").as_double() > 0);
}

TEST_CASE("neighbour measures a tenant alone and beside two kinds of others", "[bench]") {
    const auto files = results_of(
        {"neighbour", "--rate", "200", "--limit", "500", "--seconds", "1", "--rounds", "1"});
    const json::value result = json::parse(files.at(".json"));
    REQUIRE(result.at("cases").as_array().size() == 3);
    for (const json::value& each : result.at("cases").as_array()) {
        CHECK(each.at("p99_seconds").at("median").as_double() > 0);
    }
    CHECK(result.at("targets").at(0).at("label") == "L1");
}

TEST_CASE("activity loads the same events by both ways, and loses none", "[bench]") {
    const auto files = results_of({"activity", "--rows", "1000", "--rounds", "1"});
    const json::value result = json::parse(files.at(".json"));
    REQUIRE(result.at("workloads").as_array().size() == 2);
    for (const json::value& workload : result.at("workloads").as_array()) {
        for (const auto* way : {"tickd", "copy-binary"}) {
            CAPTURE(workload.at("name"), way);
            CHECK(workload.at(way).at("ranked") == true);
            CHECK(workload.at(way).at("runs").at(0).at("rows") == 1000);
        }
    }
}

TEST_CASE("growth measures at each size and draws it", "[bench]") {
    const auto files =
        results_of({"growth", "--rows", "2000", "5000", "--load", "1000", "--rounds", "1"});
    REQUIRE(files.contains(".svg"));
    CHECK(files.at(".svg").contains("<circle"));
    const json::value result = json::parse(files.at(".json"));
    const auto& sizes = result.at("sizes").as_array();
    REQUIRE(sizes.size() == 2);
    CHECK(sizes[0].at("rows") == 2000);
    CHECK(sizes[1].at("rows") == 5000);
}

}  // namespace
