// monitoring/: every alert has a section that says what to do, and every such section an alert.
// That the metrics exist is pg.monitoring's part.
#include <catch2/catch_test_macros.hpp>

#include <yaml-cpp/yaml.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(TICKD_SOURCE_DIR "/" + path);
    INFO(path);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<YAML::Node> alerts() {
    std::vector<YAML::Node> all;
    const YAML::Node file = YAML::Load(text_of("monitoring/alerts.yaml"));
    for (const YAML::Node& group : file["groups"]) {
        for (const YAML::Node& rule : group["rules"]) all.push_back(rule);
    }
    REQUIRE(all.size() > 15);
    return all;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

// The headings `### NAME` under `## Alerts`, and whether anything stands below each.
std::set<std::string> sections() {
    std::istringstream page(text_of("docs/operations.md"));
    std::set<std::string> names;
    bool within = false;
    std::string last;
    std::size_t said = 1;
    for (std::string line; std::getline(page, line);) {
        const bool heading = line.starts_with("## ") || line.starts_with("### ");
        if (within && heading) {
            INFO(last);
            CHECK(said > 0);
        }
        if (line.starts_with("## ")) {
            within = line == "## Alerts";
            said = 1;
        } else if (within && heading) {
            last = line.substr(4);
            CHECK(names.insert(last).second);
            said = 0;
        } else if (within && !line.empty()) {
            ++said;
        }
    }
    return names;
}

}  // namespace

TEST_CASE("every alert says what is wrong and where is written what to do", "[monitoring]") {
    std::set<std::string> names;
    for (const YAML::Node& each : alerts()) {
        const std::string name = each["alert"].as<std::string>();
        INFO(name);
        CHECK(names.insert(name).second);
        const std::string severity = each["labels"]["severity"].as<std::string>();
        CHECK((severity == "page" || severity == "ticket"));
        CHECK(each["annotations"]["summary"].as<std::string>().contains("$labels.instance"));
        CHECK(each["annotations"]["runbook_url"].as<std::string>() ==
              "docs/operations.md#" + lower(name));
    }
    CHECK(names == sections());
}

TEST_CASE("the dashboard is JSON, and each of its panels has a place and a question",
          "[monitoring]") {
    const auto board = boost::json::parse(text_of("monitoring/dashboard.json")).as_object();
    std::set<std::int64_t> ids;
    std::size_t asked = 0;
    for (const auto& value : board.at("panels").as_array()) {
        const auto& panel = value.as_object();
        INFO(boost::json::serialize(panel.at("title")));
        CHECK(ids.insert(panel.at("id").as_int64()).second);
        const auto& place = panel.at("gridPos").as_object();
        CHECK(place.at("x").as_int64() + place.at("w").as_int64() <= 24);
        if (panel.at("type").as_string() == "row") continue;
        CHECK_FALSE(panel.at("description").as_string().empty());
        CHECK_FALSE(panel.at("targets").as_array().empty());
        ++asked;
    }
    CHECK(asked > 15);
}
