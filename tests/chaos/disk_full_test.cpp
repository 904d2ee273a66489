// The disk is full: under the tables, and under the server's log.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <fstream>
#include <iterator>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/chaos/small_disk.h"

using namespace tickd::test;

namespace {

constexpr unsigned plenty_mib = 2000;

// Makes the folder, owned by whoever owns the cluster's.
void give_to_server(const std::string& folder, const private_cluster& cluster) {
    struct stat server{};
    REQUIRE(::stat(cluster.directory().c_str(), &server) == 0);
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    REQUIRE(::chown(folder.c_str(), server.st_uid, server.st_gid) == 0);
}

bool says(const std::string& file, std::string_view words) {
    std::ifstream from(file, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(from), {}}.contains(words);
}

}  // namespace

// A tablespace that fills: the server lives, refuses with 53100, and goes on.
TEST_CASE("a full disk under the tables pauses the lane until there is room again") {
    const small_disk disk(2);
    private_cluster cluster;
    const std::string folder = disk.path() + "/tables";
    give_to_server(folder, cluster);
    chaos_site site(cluster);
    {
        auto sql = site.sql();
        run(sql, "CREATE TABLESPACE small LOCATION '" + folder + "'");
        run(sql, "SET tickd.migration = 'on'");  // or the log's guard refuses
        run(sql, "ALTER TABLE unified_activity_log SET TABLESPACE small");
    }
    site.add_producers(4);
    REQUIRE(await_condition([&] { return site.daemon().logged("53100") > 0; },
                            std::chrono::minutes(5)));
    disk.resize(plenty_mib);
    REQUIRE(site.await_acked(2000));
    site.finish_and_compare();
}

// The log fills: the server panics, and cannot come back until there is room.
TEST_CASE("a full disk under the server's log stops it, and nothing acked is missing later") {
    const small_disk disk(plenty_mib);
    private_cluster cluster(disk.path() + "/pg", "");
    chaos_site site(cluster);
    disk.leave_free(20);  // the log grows by 16 at a time
    site.add_producers(4);
    REQUIRE(await_condition(
        [&] { return says(cluster.directory() + "/log", "No space left on device"); },
        std::chrono::minutes(5)));
    disk.resize(plenty_mib);
    cluster.start();
    REQUIRE(site.await_acked(2000));
    site.finish_and_compare();
}
