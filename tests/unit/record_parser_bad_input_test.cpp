#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ingest/json_normal_form.h"
#include "tests/support/parse_line.h"
#include "tests/unit/temporary_folder.h"

using ingest::verdict;
using tickd_test::activity_with;
using tickd_test::line_parser;
using tickd_test::parsed;
using tickd_test::tick_with;

namespace {

namespace fs = std::filesystem;

const std::string whole_tick =
    R"({"type":"tick","time":"2024-08-08T23:54:14.024619Z","symbol":"ETH\u00e4","bid":2683.8,)"
    R"("ask":"1E2","volume":0.5,"source":"spot","metadata":{"k":[1,{"x":null}]},)"
    R"("seq":77,"more":true})";
const std::string whole_activity =
    R"({"action_type":"a\n","action_payload":{"p":[[],{}],"q":-0.5e1},"agent_id":"",)"
    R"("user_id":"d67691f6-3ead-5baa-8c39-f82881d24619","timestamp":1723161254,"seq":78})";

verdict check_as_json(std::string_view line) {
    ingest::json_normalizer normalizer;
    ingest::byte_buffer out;
    return normalizer.normalize(line, ingest::limits::json_depth_max, out);
}

bool is_broken(verdict v) { return v == verdict::not_json || v == verdict::not_utf8; }

// What the parser says must agree with a reader of JSON that shares no walking code with it.
void check_against_json(line_parser& p, std::string_view line) {
    const verdict said = p.verdict_of(line);
    const verdict as_json = check_as_json(line);
    INFO(line);
    if (said == verdict::accepted) REQUIRE(as_json == verdict::accepted);
    if (as_json == verdict::accepted) REQUIRE_FALSE(is_broken(said));
}

std::string nested(std::size_t levels, char open, char close) {
    return std::string(levels, open) + std::string(levels, close);
}

struct suite_case {
    std::string name;
    std::string text;
};

// The cases of JSONTestSuite, or none where its archive is not there.
std::vector<suite_case> json_test_suite() {
    const fs::path archive = fs::path(TICKD_SOURCE_DIR) / "../shared/data/JSONTestSuite.tar.gz";
    std::vector<suite_case> cases;
    if (!fs::exists(archive)) return cases;
    const tests::temporary_folder folder;
    const std::string command =
        "tar -xzf '" + archive.string() + "' -C '" + folder.path().string() + "'";
    FILE* const tar = popen(command.c_str(), "r");
    REQUIRE(tar != nullptr);
    REQUIRE(pclose(tar) == 0);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path())) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::string text((std::istreambuf_iterator<char>(file)), {});
        if (text.ends_with('\n')) text.pop_back();
        cases.push_back({entry.path().filename().string(), std::move(text)});
    }
    return cases;
}

}  // namespace

TEST_CASE("what is wrong with a line as a whole") {
    line_parser p;
    for (const std::string_view line : {"",
                                        " ",
                                        "\t \r",
                                        "nonsense",
                                        "{",
                                        "}",
                                        "{]",
                                        "[1,2",
                                        "tru",
                                        "\"a",
                                        "{\"a\":1}}",
                                        "{}{}",
                                        "{}x",
                                        "[] []",
                                        "1 2",
                                        "-",
                                        "01",
                                        "'a'",
                                        "{'type':'tick'}",
                                        "{\"a\" \"b\"}",
                                        "{\"a\":1,}",
                                        "{,}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":,}",
                                        "{1:2}",
                                        "/**/{}",
                                        "{\"x\": [tru]}",
                                        "{\"type\":\"wha\\q\"}"}) {
        INFO(line);
        CHECK(p.parse_padded(line).is(verdict::not_json));
    }
    for (const std::string_view line :
         {"[]", "[{\"type\":\"tick\"}]", "1", "-0.5e3", "\"tick\"", "true", "false", "null"}) {
        INFO(line);
        CHECK(p.parse_padded(line).is(verdict::not_object));
    }
    CHECK(p.parse_padded("[\"\\ud800\"]").is(verdict::lone_surrogate));
    CHECK(p.parse_padded(tick_with("") + " x").is(verdict::not_json));
    CHECK(p.parse_padded(tick_with("") + "}").is(verdict::not_json));
    CHECK(p.parse_padded(tick_with("") + tick_with("")).is(verdict::not_json));
}

TEST_CASE("a string in the place of a key does not hide the line's end") {
    line_parser p;
    CHECK(p.verdict_of(R"({"type":"tick","bid":1,"ask":2,"symbol":"X":1}})") == verdict::not_json);
    CHECK(p.verdict_of(R"({"bid":1,"ask":2,"symbol":"X":1}})") == verdict::not_json);
    CHECK(p.verdict_of(R"({"type":"tick":1}})") == verdict::not_json);
    CHECK(p.verdict_of(tick_with(R"(,"x":"y":1})")) == verdict::not_json);
    CHECK(p.verdict_of(activity_with(R"(,"agent_id":"y":{}})")) == verdict::not_json);
}

TEST_CASE("bad UTF-8 in each string field, in a key and in a JSON value") {
    line_parser p;
    for (const std::string_view bad :
         {"\xff", "\x80", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
        for (const std::string_view key : {"symbol", "source", "time", "tenant", "x"}) {
            const std::string line =
                tick_with(",\"" + std::string(key) + "\":\"" + std::string(bad) + "\"");
            CHECK(p.parse_padded(line).is(verdict::not_utf8));
        }
        for (const std::string_view key : {"agent_id", "action_type", "user_id", "timestamp"}) {
            const std::string line =
                activity_with(",\"" + std::string(key) + "\":\"" + std::string(bad) + "\"");
            CHECK(p.parse_padded(line).is(verdict::not_utf8));
        }
        CHECK(p.verdict_of("{\"" + std::string(bad) + "\":1}") == verdict::not_utf8);
        CHECK(p.verdict_of(tick_with(",\"metadata\":{\"a\":\"" + std::string(bad) + "\"}")) ==
              verdict::not_utf8);
        CHECK(p.verdict_of("\"" + std::string(bad) + "\"") == verdict::not_utf8);
    }
}

TEST_CASE("control characters, NULs, surrogates and bad escapes in texts") {
    line_parser p;
    const auto source = [&p](std::string_view raw) {
        return p.parse_padded(tick_with(",\"source\":\"" + std::string(raw) + "\""));
    };
    CHECK(source(std::string_view("a\0b", 3)).is(verdict::not_json));
    CHECK(source("a\x01").is(verdict::not_json));
    CHECK(source("a\tb").is(verdict::not_json));
    CHECK(source("\\u0000").is(verdict::nul_character, "source"));
    CHECK(source("\\ud800").is(verdict::lone_surrogate, "source"));
    CHECK(source("\\udc00x").is(verdict::lone_surrogate, "source"));
    CHECK(source("\\ud800\\u0041").is(verdict::lone_surrogate, "source"));
    CHECK(source("\\ud83d\\ude00").why.accepted());
    for (const std::string_view bad : {"\\q", "\\u12", "\\u12g4", "\\U0041", "\\x41"}) {
        CHECK(source(bad).is(verdict::not_json));
    }
    CHECK(p.parse_padded(tick_with(R"(,"\u0000":1)")).is(verdict::nul_character));
    CHECK(p.parse_padded(tick_with(R"(,"\ud800":1)")).is(verdict::lone_surrogate));
    CHECK(p.parse_padded(tick_with(R"(,"\q":1)")).is(verdict::not_json));
    CHECK(p.parse_padded(R"({"\ud800":1,"symbol":"X"})").is(verdict::lone_surrogate));
    for (const std::string_view where : {R"(,"metadata":{"a":"\u0000"})", R"(,"a":"\u0000")"}) {
        CHECK(p.parse_padded(tick_with(where)).is(verdict::nul_character, "metadata"));
    }
    CHECK(p.parse_padded(R"({"action_type":"x","action_payload":"\ud800"})")
              .is(verdict::lone_surrogate, "action_payload"));
    CHECK(p.parse_padded(std::string("{\0}", 3)).is(verdict::not_json));
    CHECK(p.parse_padded(tick_with("") + std::string(1, '\0')).is(verdict::not_json));
}

TEST_CASE("duplicate keys at the top") {
    line_parser p;
    for (const std::string_view key : {"symbol", "bid", "ask", "type"}) {
        const std::string line = tick_with(",\"" + std::string(key) + "\":\"1\"");
        CHECK(p.parse_padded(line).is(verdict::duplicate_key, key));
    }
    CHECK(p.parse_padded(tick_with(R"(,"s\u0079mbol":"X")")).is(verdict::duplicate_key, "symbol"));
    CHECK(p.parse_padded(tick_with(R"(,"seq":1,"seq":1)")).is(verdict::duplicate_key, "seq"));
    CHECK(p.parse_padded(tick_with(R"(,"mid":null,"mid":null)")).is(verdict::duplicate_key, "mid"));
    CHECK(p.parse_padded(tick_with(R"(,"metadata":{},"metadata":{})"))
              .is(verdict::duplicate_key, "metadata"));
    CHECK(p.parse_padded(R"({"symbol":"X","bid":1,"ask":2,"type":"tick","type":"tick"})")
              .is(verdict::duplicate_key, "type"));
    CHECK(p.parse_padded(activity_with(R"(,"action_payload":1)"))
              .is(verdict::duplicate_key, "action_payload"));
}

TEST_CASE("values that are too deep or too long") {
    line_parser p;
    const auto metadata = [&p](std::string_view value) {
        return p.parse_padded(tick_with(",\"metadata\":" + std::string(value)));
    };
    // The line's object and the metadata's are two of the 128 levels.
    CHECK(metadata("{\"a\":" + nested(126, '[', ']') + "}").why.accepted());
    CHECK(
        metadata("{\"a\":" + nested(127, '[', ']') + "}").is(verdict::nested_too_deep, "metadata"));
    const auto payload = [&p](std::string_view value) {
        return p.parse_padded(R"({"action_type":"x","action_payload":)" + std::string(value) + "}");
    };
    CHECK(payload(nested(127, '[', ']')).why.accepted());
    CHECK(payload(nested(128, '[', ']')).is(verdict::nested_too_deep, "action_payload"));
    CHECK(payload(nested(100'000, '[', ']')).is(verdict::nested_too_deep, "action_payload"));
    CHECK(p.verdict_of(nested(128, '[', ']')) == verdict::not_object);
    CHECK(p.verdict_of(nested(129, '[', ']')) == verdict::nested_too_deep);
    CHECK(is_broken(p.verdict_of(std::string(100'000, '['))) ==
          (check_as_json(std::string(100'000, '[')) == verdict::not_json));

    CHECK(payload("1" + std::string(399, '0')).why.accepted());
    CHECK(payload("1" + std::string(400, '0')).is(verdict::number_too_long, "action_payload"));
    CHECK(payload("1e400").why.accepted());
    CHECK(payload("1e401").is(verdict::number_too_long, "action_payload"));
    std::string huge = "[1e400";
    while (huge.size() < 1'000'000) huge += ",1e400";
    CHECK(payload(huge + "]").is(verdict::value_too_long, "action_payload"));
    CHECK(metadata("{\"a\":" + huge + "]}").is(verdict::value_too_long, "metadata"));
    for (const std::string_view other : {"[]", "1", "\"{}\"", "true"}) {
        CHECK(metadata(other).is(verdict::wrong_type, "metadata"));
    }
}

TEST_CASE("no beginning of a valid line is accepted") {
    line_parser p;
    for (const std::string& whole : {whole_tick, whole_activity}) {
        REQUIRE(p.parse_padded(whole).why.accepted());
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const parsed r = p.parse_padded(std::string_view(whole).substr(0, size));
            INFO(size);
            CHECK(is_broken(r.why.reason));
            CHECK(r.why.field.empty());
        }
    }
}

TEST_CASE("a hostile byte anywhere in a line") {
    line_parser p;
    const std::string_view hostile("\0\x01\t\n\r \"\\{}[],:0-.eEunt/\x7f\x80\xc3\xed\xff", 27);
    for (const std::string& whole : {whole_tick, whole_activity}) {
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (const char c : hostile) {
                std::string replaced = whole;
                replaced[at] = c;
                check_against_json(p, replaced);
            }
            check_against_json(p, whole.substr(0, at) + whole.substr(at + 1));
        }
    }
}

TEST_CASE("random tokens are read as JSON is") {
    line_parser p;
    std::mt19937_64 random(7'202'405);
    const std::array<std::string_view, 18> tokens = {
        "{",        "}",        "[",          "]",     ",",
        ":",        "\"a\"",    "\"symbol\"", "\"X\"", "\"b\\u0069d\"",
        "\"ask\"",  "1",        "-2.5",       "null",  "\"metadata\"",
        "\"type\"", "\"tick\"", " "};
    std::size_t accepted = 0;
    for (int round = 0; round < 60'000; ++round) {
        // A valid line with a few tokens put in, taken out or exchanged.
        std::vector<std::string_view> line = {
            "{", "\"type\"", ":",     "\"tick\"", ",", "\"symbol\"",
            ":", "\"X\"",    ",",     "\"bid\"",  ":", "1",
            ",", "\"ask\"",  ":",     "2",        ",", "\"metadata\"",
            ":", "{",        "\"k\"", ":",        "[", "{",
            "}", ",",        "\"v\"", "]",        "}", "}"};
        if (random() % 2 == 0) line.erase(line.begin() + 1, line.begin() + 5);
        const auto edits = random() % 4;
        for (std::uint64_t edit = 0; edit < edits; ++edit) {
            const auto at = line.begin() + static_cast<std::ptrdiff_t>(random() % line.size());
            const std::string_view token = tokens[random() % tokens.size()];
            switch (random() % 3) {
                case 0: line.insert(at, token); break;
                case 1: line.erase(at); break;
                default: *at = token; break;
            }
        }
        std::string text;
        for (const std::string_view token : line) text += token;
        const verdict said = p.parse(text, "}],:\"\n{"[random() % 7]).why.reason;
        const verdict as_json = check_as_json(text);
        INFO(text);
        if (said == verdict::accepted) {
            ++accepted;
            REQUIRE(as_json == verdict::accepted);
        }
        if (as_json == verdict::accepted) REQUIRE_FALSE(is_broken(said));
    }
    CHECK(accepted > 10'000);
}

TEST_CASE("JSONTestSuite as whole lines, as metadata and as action_payload") {
    const std::vector<suite_case> cases = json_test_suite();
    if (cases.empty()) SKIP("JSONTestSuite is not there");
    CHECK(cases.size() > 300);
    line_parser p;
    for (const auto& [name, text] : cases) {
        INFO(name);
        const parsed line = p.parse_padded(text);
        const parsed metadata = p.parse_padded(tick_with(",\"metadata\":" + text));
        const parsed payload =
            p.parse_padded(R"({"action_type":"x","action_payload":)" + text + "}");
        // No case is a record.
        CHECK_FALSE(line.why.accepted());
        if (name.starts_with("n_")) {
            CHECK_FALSE(metadata.why.accepted());
            CHECK_FALSE(payload.why.accepted());
        }
        if (name.starts_with("y_")) {
            CHECK_FALSE(is_broken(line.why.reason));
            CHECK_FALSE(is_broken(metadata.why.reason));
            const std::set<verdict> stricter = {verdict::duplicate_key, verdict::nul_character};
            CHECK((payload.why.accepted() || stricter.contains(payload.why.reason)));
        }
    }
}
