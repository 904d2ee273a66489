// The units as systemd itself judges them, without one running.
#include <catch2/catch_test_macros.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "tests/support/daemon_process.h"

using namespace tickd::test;

namespace {

const std::string units = TICKD_SOURCE_DIR "/systemd/";

bool has_systemd() { return std::system("command -v systemd-analyze >/dev/null 2>&1") == 0; }

struct said {
    int exit_code;
    std::string text;
};

said run(const std::string& command) {
    FILE* const from = ::popen((command + " 2>&1").c_str(), "r");
    REQUIRE(from != nullptr);
    said all{0, {}};
    char part[4096];
    while (const std::size_t got = std::fread(part, 1, sizeof part, from))
        all.text.append(part, got);
    all.exit_code = ::pclose(from);
    return all;
}

// The units with the built binary in place of the installed one, which is not there.
std::string folder_of_units(const temporary_folder& folder) {
    for (const char* name : {"tickd.service", "tickd.socket"}) {
        std::ifstream file(units + name);
        std::string text{std::istreambuf_iterator<char>(file), {}};
        const std::string installed = "/usr/bin/tickd";
        if (const auto at = text.find(installed); at != std::string::npos) {
            text.replace(at, installed.size(), TICKD_BINARY);
        }
        static_cast<void>(folder.write(name, text));
    }
    return folder.file("");
}

}  // namespace

TEST_CASE("systemd finds nothing wrong with the units") {
    if (!has_systemd()) SKIP("systemd-analyze is not installed");
    const temporary_folder folder;
    const std::string at = folder_of_units(folder);
    const said verified =
        run("systemd-analyze verify --man=no " + at + "/tickd.service " + at + "/tickd.socket");
    INFO(verified.text);
    CHECK(verified.exit_code == 0);
    CHECK_FALSE(verified.text.contains("tickd.service:"));
    CHECK_FALSE(verified.text.contains("tickd.socket:"));
}

TEST_CASE("systemd's own judgement of what the service may reach is 2.0 or better") {
    if (!has_systemd()) SKIP("systemd-analyze is not installed");
    const temporary_folder folder;
    const said judged = run("systemd-analyze security --offline=true --no-pager " +
                            folder_of_units(folder) + "/tickd.service");
    INFO(judged.text);
    std::smatch found;
    REQUIRE(std::regex_search(judged.text, found,
                              std::regex("exposure level for tickd.service: ([0-9.]+)")));
    CHECK(std::stod(found[1]) <= 2.0);
}

TEST_CASE("the service sees who is at the other end of a unix socket") {
    std::ifstream file(units + "tickd.service");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(text.contains("PrivateDevices=yes"));
    // It maps all users but tickd's own to nobody.
    CHECK_FALSE(text.contains("\nPrivateUsers="));
}
