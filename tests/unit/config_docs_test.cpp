// The files about the configuration cannot drift from the table of settings.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <format>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/settings_table.h"

namespace {

using namespace tickd;

std::string text_of(const std::string& path) {
    std::ifstream in{std::string{TICKD_SOURCE_DIR "/"} + path};
    INFO(path);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

// A setting's row in docs/configuration.md.
template <typename Owner>
std::string row(const setting<Owner>& each, std::string_view name, const Owner& defaults) {
    const std::string value = each.print(defaults);
    return std::format("| `{}` | {} | {} | {} | {} | {} |", name,
                       value.empty() ? "empty" : "`" + value + "`", each.range,
                       each.unit.empty() ? "" : each.unit,
                       each.effect == takes_effect::reload ? "reload" : "restart", each.comment);
}

TEST_CASE("conf/tickd.yaml holds every setting at its default", "[config]") {
    const std::string text = text_of("conf/tickd.yaml");
    const std::string generated = to_yaml(load_config({}).value, yaml_comments::one_each);
    // Above what `tickd config show --comments` prints stands only a comment.
    REQUIRE(text.ends_with(generated));
    std::istringstream head{text.substr(0, text.size() - generated.size())};
    for (std::string line; std::getline(head, line);) CHECK((line.empty() || line[0] == '#'));

    const auto loaded =
        load_config({.file = TICKD_SOURCE_DIR "/conf/tickd.yaml", .environment = {}});
    CHECK(to_text(loaded.problems).empty());
    CHECK(to_yaml(loaded.value) == to_yaml(load_config({}).value));
}

TEST_CASE("conf/tickd-minimal.yaml is good", "[config]") {
    const auto loaded =
        load_config({.file = TICKD_SOURCE_DIR "/conf/tickd-minimal.yaml", .environment = {}});
    CHECK(to_text(loaded.problems).empty());
    CHECK_FALSE(loaded.value.database.url.empty());
}

TEST_CASE("docs/configuration.md has the row of every setting and no other", "[config]") {
    std::istringstream page{text_of("docs/configuration.md")};
    std::vector<std::string> rows;
    for (std::string line; std::getline(page, line);) {
        if (std::ranges::count(line, '|') == 7 && line.starts_with("| `")) rows.push_back(line);
    }
    const config defaults = load_config({}).value;
    std::vector<std::string> wanted;
    for (const auto& each : settings()) wanted.push_back(row(each, each.name, defaults));
    for (const auto& each : listener_settings()) {
        wanted.push_back(
            row(each, std::format("listeners[].{}", each.name), defaults.listeners[0]));
    }
    for (const auto& each : identity_settings()) {
        wanted.push_back(row(each, std::format("identities[].{}", each.name), identity_config{}));
    }
    for (const std::string& each : wanted) {
        INFO(each);
        CHECK(std::ranges::count(rows, each) == 1);
    }
    CHECK(rows.size() == wanted.size());
}

TEST_CASE("every setting says what it is", "[config]") {
    const auto check = [](const auto& table) {
        for (const auto& each : table) {
            INFO(each.name);
            CHECK_FALSE(each.range.empty());
            CHECK(each.comment.ends_with('.'));
            CHECK(std::ranges::count(table, each.name,
                                     &std::remove_cvref_t<decltype(each)>::name) == 1);
        }
    };
    check(settings());
    check(listener_settings());
    check(identity_settings());
    CHECK(environment_name("records.line_bytes") == "TICKD_RECORDS_LINE_BYTES");
}

}  // namespace
