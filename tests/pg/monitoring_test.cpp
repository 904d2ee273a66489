// monitoring/ asks for metrics: the real daemon must export each of them.
#include <catch2/catch_test_macros.hpp>

#include <yaml-cpp/yaml.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/exposition.h"
#include "tests/support/http_client.h"

using namespace tickd::test;

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(TICKD_SOURCE_DIR "/" + path);
    INFO(path);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> alert_questions() {
    std::vector<std::string> all;
    const YAML::Node file = YAML::Load(text_of("monitoring/alerts.yaml"));
    for (const YAML::Node& group : file["groups"]) {
        for (const YAML::Node& rule : group["rules"]) all.push_back(rule["expr"].as<std::string>());
    }
    return all;
}

// Every text under a key `expr` or `query`, wherever it stands.
void add_questions(const boost::json::value& in, std::vector<std::string>& all) {
    if (const auto* list = in.if_array()) {
        for (const auto& each : *list) add_questions(each, all);
    } else if (const auto* object = in.if_object()) {
        for (const auto& [key, value] : *object) {
            if ((key == "expr" || key == "query") && value.is_string()) {
                all.emplace_back(value.as_string());
            }
            add_questions(value, all);
        }
    }
}

std::vector<std::string> dashboard_questions() {
    std::vector<std::string> all;
    add_questions(boost::json::parse(text_of("monitoring/dashboard.json")), all);
    return all;
}

// The family of a name: a histogram's has three more.
std::string family_of(std::string name, const exposition& seen) {
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
        if (!name.ends_with(suffix)) continue;
        const std::string shorter = name.substr(0, name.size() - std::string(suffix).size());
        const auto found = seen.families().find(shorter);
        if (found != seen.families().end() && found->second == "histogram") return shorter;
    }
    return name;
}

void check_names(const std::vector<std::string>& questions, const exposition& seen) {
    const std::regex name("\\b(tickd|process)_[a-z0-9_]+");
    std::set<std::string> asked;
    for (const std::string& question : questions) {
        for (std::sregex_iterator at(question.begin(), question.end(), name), end; at != end;
             ++at) {
            const std::string family = family_of(at->str(), seen);
            CAPTURE(question, family);
            CHECK(seen.families().contains(family));
            asked.insert(family);
        }
    }
    CHECK(asked.size() > 15);
}

}  // namespace

TEST_CASE("every metric that alerts and dashboard ask for is exported", "[monitoring]") {
    // All families are there without a database.
    daemon_process daemon(daemon_yaml("host=/nonexistent", "admin:\n  address: 127.0.0.1:0\n"));
    REQUIRE(daemon.ready());
    const exposition seen(http_get(admin_address(daemon), "/metrics").body);
    check_names(alert_questions(), seen);
    check_names(dashboard_questions(), seen);
    CHECK(daemon.stop() == 0);
}
