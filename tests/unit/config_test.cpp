#include <stdlib.h>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/config.h"
#include "tests/unit/temporary_folder.h"

namespace {

using namespace std::chrono_literals;
using tests::temporary_folder;
using namespace tickd;

using environment = std::vector<std::pair<std::string, std::string>>;

loaded_config load_text(std::string_view yaml, environment variables = {}) {
    const temporary_folder folder;
    loaded_config loaded =
        load_config({.file = folder.file("tickd.yaml", yaml), .environment = std::move(variables)});
    // The folder's name differs from run to run.
    for (config_problem& each : loaded.problems) {
        if (each.file.ends_with("/tickd.yaml")) each.file = "tickd.yaml";
    }
    return loaded;
}

loaded_config load_environment(environment variables) {
    return load_config({.file = {}, .environment = std::move(variables)});
}

std::string problems_of(std::string_view yaml) { return to_text(load_text(yaml).problems); }

TEST_CASE("nothing given: the defaults", "[config]") {
    for (const auto& loaded : {load_config({}), load_text(""), load_text("---\n# nothing\n")}) {
        CHECK(to_text(loaded.problems).empty());
        REQUIRE(loaded.value.listeners.size() == 1);
        CHECK(loaded.value.listeners[0].address == "127.0.0.1:7450");
        CHECK(loaded.value.listeners[0].name == "127.0.0.1:7450");
        CHECK(loaded.value.records.future_limit == 1h);
        CHECK_FALSE(loaded.value.records.past_limit.has_value());
        CHECK(loaded.value.log.level == "info");
    }
}

TEST_CASE("every kind of value is read", "[config]") {
    const auto loaded = load_text(R"(
database:
  url: "host=db1,db2 dbname=ticks"
  password_file: /run/secrets/password
  connect_timeout: 250ms
  stall_limit: 4s
listeners:
  - address: "[::1]:7450"
    name: feeds
    source: binance-spot
    tenant: 01234567-89AB-cdef-0123-456789abcdef
    tenant_from_payload: true
    sessions_max: 7
  - address: unix:/run/tickd/tickd.sock
    unix_mode: 0600
lanes: {first: 8, count: 4}
batch: {rows_max: 1000}
records:
  unknown_fields: reject
  excess_digits: round
  future_limit: 90s
  past_limit: 30d
  json_depth: 16
  line_bytes: 64KiB
stop: {drain_timeout: 1m}
log: {level: debug, format: json}
)");
    REQUIRE(to_text(loaded.problems).empty());
    const config& value = loaded.value;
    CHECK(value.database.url == "host=db1,db2 dbname=ticks");
    CHECK(value.database.password_file == "/run/secrets/password");
    CHECK(value.database.connect_timeout == 250ms);
    CHECK(value.database.stall_limit == 4s);
    REQUIRE(value.listeners.size() == 2);
    CHECK(value.listeners[0].address == "[::1]:7450");
    CHECK(value.listeners[0].name == "feeds");
    CHECK(value.listeners[0].source == "binance-spot");
    REQUIRE(value.listeners[0].tenant.has_value());
    CHECK(ingest::to_text(value.listeners[0].tenant.value_or(ingest::uuid{})) ==
          "01234567-89ab-cdef-0123-456789abcdef");
    CHECK(value.listeners[0].tenant_from_payload);
    CHECK(value.listeners[0].sessions_max == 7);
    CHECK(value.listeners[1].name == "unix:/run/tickd/tickd.sock");
    CHECK(value.listeners[1].unix_mode == 0600);
    CHECK_FALSE(value.listeners[1].tenant.has_value());
    CHECK(value.lanes.first == 8);
    CHECK(value.lanes.count == 4);
    CHECK(value.batch.rows_max == 1000);
    CHECK(value.records.unknown_fields == ingest::unknown_fields::reject);
    CHECK(value.records.excess_digits == ingest::excess_digits::round);
    CHECK(value.records.future_limit == 90s);
    CHECK(value.records.past_limit == std::chrono::days{30});
    CHECK(value.records.json_depth == 16);
    CHECK(value.records.line_bytes == 65536);
    CHECK(value.stop.drain_timeout == 1min);
    CHECK(value.log.level == "debug");
    CHECK(value.log.format == "json");
}

TEST_CASE("all problems come at once, with their lines", "[config]") {
    CHECK(problems_of("database:\n"
                      "  ulr: x\n"
                      "lanes:\n"
                      "  count: 65\n"
                      "records:\n"
                      "  future_limit: 5\n"
                      "  line_bytes: 1kB\n"
                      "listeners:\n"
                      "  - address: localhost\n"
                      "    tenant: nobody\n"
                      "  - source: x\n"
                      "lgo:\n"
                      "  level: info\n") ==
          "tickd.yaml:2: database.ulr: no such setting; did you mean database.url?\n"
          "tickd.yaml:4: lanes.count: must be a whole number from 1 to 64, not \"65\"\n"
          "tickd.yaml:6: records.future_limit: must be a duration from 0s to 36500d with a unit"
          " (us, ms, s, m, h, d), not \"5\"\n"
          "tickd.yaml:7: records.line_bytes: must be a size from 4KiB to 16MiB"
          " (bytes, KiB, MiB, GiB), not \"1kB\"\n"
          "tickd.yaml:9: listeners[0].address: must be HOST:PORT, [IPV6]:PORT or unix:/PATH;"
          " not \"localhost\"\n"
          "tickd.yaml:10: listeners[0].tenant: must be none or a UUID such as"
          " 01234567-89ab-cdef-0123-456789abcdef, not \"nobody\"\n"
          "tickd.yaml:11: listeners[1]: needs an address, such as 127.0.0.1:7450\n"
          "tickd.yaml:12: lgo: no such setting; did you mean log?\n");
}

TEST_CASE("keys in the wrong place and duplicates are found", "[config]") {
    CHECK(problems_of("level: debug\n") ==
          "tickd.yaml:1: level: no such setting; did you mean log.level?\n");
    CHECK(problems_of("log:\n  drain_timeout: 1s\n") ==
          "tickd.yaml:2: log.drain_timeout: no such setting; did you mean stop.drain_timeout?\n");
    CHECK(problems_of("xyzzy: 1\n") == "tickd.yaml:1: xyzzy: no such setting\n");
    CHECK(problems_of("log:\n  level: info\n  level: debug\n") ==
          "tickd.yaml:3: log.level: is given twice: first on line 2\n");
    CHECK(problems_of("log: {level: info}\nstop:\nlog: {level: info}\n") ==
          "tickd.yaml:3: log: is given twice: first on line 1\n");
    CHECK(problems_of("listeners:\n  - address: a:1\n    address: b:1\n") ==
          "tickd.yaml:3: listeners[0].address: is given twice: first on line 2\n");
}

TEST_CASE("the wrong shape of YAML is a problem, not a crash", "[config]") {
    CHECK(problems_of("just text\n") == "tickd.yaml:1: must be a group of `name: value` lines\n");
    CHECK(problems_of("- a\n").contains("must be a group"));
    CHECK(problems_of("log: info\n") ==
          "tickd.yaml:1: log: must be a group of `name: value` lines\n");
    CHECK(problems_of("log:\n  level: [info]\n") ==
          "tickd.yaml:2: log.level: must be one value, not a list or a group\n");
    CHECK(problems_of("log:\n  level:\n") ==
          "tickd.yaml:2: log.level: has no value; leave it out for its default\n");
    CHECK(problems_of("log:\n  [a]: b\n").contains("tickd.yaml:2: log: names of settings"));
    CHECK(problems_of("listeners: 127.0.0.1:7450\n").contains("listeners: must be a list"));
    CHECK(problems_of("listeners: []\n").contains("listeners: at least one"));
    CHECK(
        problems_of("listeners:\n  -\n").contains("tickd.yaml:2: listeners[0]: needs an address"));
    CHECK(problems_of("listeners: [a:1]\n").contains("listeners[0]: must be a group"));
    CHECK(problems_of("a: b\n---\nc: d\n").contains("single YAML document"));
    // Of these yaml-cpp's LoadAll makes documents without end.
    for (const char* text : {",", "\"a\",", "{listeners: []}, b", "!,", "log:\n, a"}) {
        CHECK_FALSE(problems_of(text).empty());
    }
    CHECK(problems_of("# nothing\n\n{log: {level: info}}, b\n")
              .contains("tickd.yaml:3: must be a single"));
    CHECK(problems_of("a: b\n---\n").contains("single YAML document"));
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += "- a\n";
    CHECK(problems_of(many).contains("tickd.yaml:100000: has more than 100000 values"));
    CHECK(problems_of("log: {level: info\n").contains("tickd.yaml:2: not YAML"));
    CHECK(problems_of("log:\n\tlevel: info\n").contains("tickd.yaml:2: not YAML"));
    CHECK(problems_of("&a [*a, *b]").contains("not YAML"));
    CHECK(problems_of(std::string(10'000, '[')).contains("not YAML"));
    CHECK_FALSE(problems_of(std::string("\0\xFF\xFE\x80{", 5)).empty());
    CHECK(problems_of(std::string(1024 * 1024 + 1, ' ')).contains("larger than 1 MiB"));
    CHECK(load_text("log:\n").problems.empty());
}

TEST_CASE("a broken file never escapes load_config", "[config]") {
    const std::string whole = to_yaml(load_config({}).value, yaml_comments::one_each);
    // Cut anywhere it is a configuration or a list of problems.
    for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
        const auto loaded = load_text(whole.substr(0, cut));
        CHECK((!loaded.problems.empty() || !loaded.value.listeners.empty()));
    }
}

TEST_CASE("numbers, durations and sizes at their bounds", "[config]") {
    const auto fails = [](const std::string& section, const std::string& line) {
        return !load_text(section + ":\n  " + line + "\n").problems.empty();
    };
    CHECK_FALSE(fails("lanes", "count: 1"));
    CHECK_FALSE(fails("lanes", "count: 64"));
    for (const char* bad : {"0", "-1", "+1", "1.0", "0x1", "1 2", "''", "99999999999999999999"}) {
        INFO(bad);
        CHECK(fails("lanes", std::string{"count: "} + bad));
    }
    CHECK_FALSE(fails("records", "future_limit: 0s"));
    CHECK_FALSE(fails("records", "future_limit: 36500d"));
    CHECK_FALSE(fails("records", "future_limit: 1us"));
    for (const char* bad : {"36501d", "-1s", "1.5h", "1 s", "1S", "s", "none", "1h30m",
                            "18446744073709551615d", "213503982334602d"}) {
        INFO(bad);
        CHECK(fails("records", std::string{"future_limit: "} + bad));
    }
    CHECK(fails("database", "connect_timeout: 100500us"));
    CHECK_FALSE(fails("records", "line_bytes: 4096"));
    CHECK_FALSE(fails("records", "line_bytes: 16MiB"));
    for (const char* bad : {"4095", "16777217", "1MB", "1 MiB", "MiB", "17179869184GiB"}) {
        INFO(bad);
        CHECK(fails("records", std::string{"line_bytes: "} + bad));
    }
    for (const char* bad : {"yes", "True", "1"}) {
        CHECK(
            fails("listeners", std::string{"- {address: a:1, tenant_from_payload: "} + bad + "}"));
    }
    for (const char* bad : {"0800", "1000", "rw", "-1"}) {
        CHECK(fails("listeners", std::string{"- {address: a:1, unix_mode: "} + bad + "}"));
    }
}

TEST_CASE("texts are UTF-8 of a bounded length, counted in characters", "[config]") {
    const auto source = [](const std::string& text) {
        return load_text("listeners:\n  - address: a:1\n    source: \"" + text + "\"\n");
    };
    std::string fifty;
    for (int i = 0; i < 50; ++i) fifty += "\u00FC";
    CHECK(source(fifty).problems.empty());
    CHECK(source(fifty).value.listeners[0].source == fifty);
    CHECK_FALSE(source(fifty + "x").problems.empty());
    CHECK_FALSE(source("a\\nb").problems.empty());
    CHECK_FALSE(load_environment({{"TICKD_DATABASE_URL", "host=\xC3"}}).problems.empty());
    CHECK_FALSE(load_environment({{"TICKD_DATABASE_URL", "host=\xED\xA0\x80"}}).problems.empty());
}

TEST_CASE("listeners have addresses and names of their own", "[config]") {
    CHECK(problems_of("listeners:\n"
                      "  - address: '[0:0::1]:1'\n"
                      "  - address: '[0:0::1]:1'\n"
                      "  - {address: b:1, name: n}\n"
                      "  - {address: c:1, name: n}\n") ==
          "tickd.yaml:3: listeners[1].address: listeners[0] has the same address\n"
          "tickd.yaml:5: listeners[3].name: listeners[2] has the same name\n");
    // Port 0 lets the system choose: no clash, once their names differ.
    CHECK(problems_of("listeners: [{address: 'a:0'}, {address: 'a:0', name: second}]\n").empty());

    std::string many = "listeners:\n";
    for (std::size_t i = 0; i < ingest::limits::listeners_max; ++i) {
        many += "  - address: a:" + std::to_string(i + 1) + '\n';
    }
    CHECK(problems_of(many).empty());
    many += "  - address: a:99\n";
    CHECK(problems_of(many) == "tickd.yaml:18: listeners[16]: there are at most 16 listeners\n");
}

TEST_CASE("the environment overrides the file", "[config]") {
    const auto loaded = load_text(
        "log: {level: warn, format: json}\nlisteners: [{address: 'a:1'}, {address: 'b:1'}]\n",
        {{"TICKD_LOG_LEVEL", "debug"},
         {"TICKD_DATABASE_URL", "host=x"},
         {"TICKD_RECORDS_PAST_LIMIT", "2d"},
         {"TICKD_LISTEN", "unix:/tmp/x"}});
    CHECK(to_text(loaded.problems).empty());
    CHECK(loaded.value.log.level == "debug");
    CHECK(loaded.value.log.format == "json");
    CHECK(loaded.value.database.url == "host=x");
    CHECK(loaded.value.records.past_limit == std::chrono::days{2});
    REQUIRE(loaded.value.listeners.size() == 1);
    CHECK(loaded.value.listeners[0].address == "unix:/tmp/x");
    CHECK(loaded.value.listeners[0].name == "unix:/tmp/x");
}

TEST_CASE("problems of the environment name the variable", "[config]") {
    CHECK(to_text(load_environment({{"TICKD_LANES_COUNT", "many"},
                                    {"TICKD_LISTEN", "here"},
                                    {"TICKD_LOG_LEVLE", "info"},
                                    {"TICKD_XYZZY", "1"}})
                      .problems) ==
          "TICKD_LANES_COUNT: lanes.count: must be a whole number from 1 to 64, not \"many\"\n"
          "TICKD_LISTEN: listeners: must be HOST:PORT, [IPV6]:PORT or unix:/PATH; not \"here\"\n"
          "TICKD_LOG_LEVLE: no such variable; did you mean TICKD_LOG_LEVEL?\n"
          "TICKD_XYZZY: no setting has this variable; unset it\n");
}

TEST_CASE("the process's variables, without those that are no settings", "[config]") {
    const auto names_setting = [](const auto& entry) { return entry.first == "TICKD_LOG_LEVEL"; };
    setenv("TICKD_LOG_LEVEL", "a=b", 1);
    setenv("TICKD_CONFIG", "/x", 1);
    setenv("TICKD_TEST_SEED", "1", 1);
    const auto found = tickd_environment();
    unsetenv("TICKD_LOG_LEVEL");
    unsetenv("TICKD_CONFIG");
    unsetenv("TICKD_TEST_SEED");
    const auto level = std::ranges::find_if(found, names_setting);
    REQUIRE(level != found.end());
    CHECK(level->second == "a=b");
    for (const auto& [name, text] : found) {
        CHECK(name.starts_with("TICKD_"));
        CHECK(name != "TICKD_CONFIG");
        CHECK(name != "TICKD_TEST_SEED");
    }
}

TEST_CASE("a file that is not there is a problem", "[config]") {
    const auto loaded = load_config({.file = "/nonexistent/tickd.yaml", .environment = {}});
    CHECK(to_text(loaded.problems) ==
          "/nonexistent/tickd.yaml: cannot be opened: No such file or directory\n");
    CHECK_FALSE(load_config({.file = "/", .environment = {}}).problems.empty());
}

TEST_CASE("what is printed reads back the same", "[config]") {
    config value = load_config({}).value;
    value.database.url = "host=/tmp/a\\ b dbname='x y' options=\"-c a=b\" # no comment: 'x'";
    value.listeners[0].address = "[::1]:7450";
    value.listeners[0].name = "null";
    value.listeners[0].source = "- \u00FC: \"quoted\" \\ #";
    value.listeners[0].tenant = ingest::parse_uuid("01234567-89ab-cdef-0123-456789abcdef");
    value.listeners[0].unix_mode = 0;
    value.listeners.push_back(value.listeners[0]);
    value.listeners[1].address = "unix:/run/a b:";
    value.listeners[1].name = "~";
    value.records.future_limit = 1500us;
    value.records.past_limit = 36h;
    value.records.line_bytes = 5000;
    for (const yaml_comments comments : {yaml_comments::none, yaml_comments::one_each}) {
        const auto again = load_text(to_yaml(value, comments));
        CHECK(to_text(again.problems).empty());
        CHECK(to_yaml(again.value) == to_yaml(value));
        CHECK(again.value.database.url == value.database.url);
        REQUIRE(again.value.listeners.size() == 2);
        CHECK(again.value.listeners[0].source == value.listeners[0].source);
        CHECK(again.value.listeners[0].name == "null");
        CHECK(again.value.listeners[1].address == "unix:/run/a b:");
        CHECK(again.value.records.future_limit == 1500us);
    }
}

TEST_CASE("passwords are never printed", "[config]") {
    struct {
        const char* url;
        const char* shown;
    } const cases[] = {
        {"postgresql://u:secret@h1:5432,h2/db?sslmode=require",
         "postgresql://u:***@h1:5432,h2/db?sslmode=require"},
        {"postgres://u@h/db?password=secret&x=y", "postgres://u@h/db?password=***&x=y"},
        {"postgresql://u:p@secret/s@h/db", "postgresql://u:***@h/db"},
        {"postgresql:///db?sslpassword=secret", "postgresql:///db?sslpassword=***"},
        {"postgresql://h:5432/db", "postgresql://h:5432/db"},
        {"host=h password=secret dbname=d", "host=h password=*** dbname=d"},
        {"password = 'sec\\'ret x' host=h", "password = *** host=h"},
        {"host=h password=secret\\ more x=y", "host=h password=*** x=y"},
        {"password='secret", "password=***"},
        {"host='a password=b' user=u", "host='a password=b' user=u"},
        {"password", "password"},
    };
    for (const auto& each : cases) {
        INFO(each.url);
        config value = load_config({}).value;
        value.database.url = each.url;
        const std::string yaml = to_yaml(value);
        CHECK_FALSE(yaml.contains("secret"));
        CHECK(load_text(yaml).value.database.url == each.shown);
    }
}

}  // namespace
