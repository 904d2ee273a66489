#include "ingest/verdict.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using ingest::verdict;

TEST_CASE("every verdict has a name of its own that leads back to it", "[verdict]") {
    std::set<std::string_view> names;
    for (std::uint8_t i = 0; i < ingest::verdict_count; ++i) {
        const auto v = static_cast<verdict>(i);
        const std::string_view name = to_string(v);
        INFO(name);
        CHECK(names.insert(name).second);
        CHECK(ingest::verdict_from(name) == v);
        // Names are metric labels and words of the wire protocol.
        CHECK(name.size() >= 4);
        CHECK(std::ranges::all_of(
            name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '8'; }));
    }
    CHECK(names.size() == ingest::verdict_count);
}

TEST_CASE("names of released verdicts stay", "[verdict]") {
    CHECK(to_string(verdict::accepted) == "accepted");
    CHECK(to_string(verdict::not_json) == "not_json");
    CHECK(to_string(verdict::not_utf8) == "not_utf8");
    CHECK(to_string(verdict::duplicate_key) == "duplicate_key");
    CHECK(to_string(verdict::too_precise) == "too_precise");
    CHECK(to_string(verdict::time_too_far_ahead) == "time_too_far_ahead");
    CHECK(to_string(verdict::refused_by_server) == "refused_by_server");
}

TEST_CASE("words that are no verdict give nothing", "[verdict]") {
    CHECK_FALSE(ingest::verdict_from(""));
    CHECK_FALSE(ingest::verdict_from("Accepted"));
    CHECK_FALSE(ingest::verdict_from("not_json "));
    CHECK_FALSE(ingest::verdict_from("not_jso"));
}

TEST_CASE("every verdict is explained in one sentence of its own", "[verdict]") {
    std::set<std::string_view> sentences;
    for (std::uint8_t i = 0; i < ingest::verdict_count; ++i) {
        const std::string_view sentence = explain(static_cast<verdict>(i));
        INFO(sentence);
        CHECK(sentences.insert(sentence).second);
        CHECK(sentence.back() == '.');
        CHECK(std::ranges::count(sentence, '.') == 1);
    }
}

TEST_CASE("a refusal is accepted only with the verdict accepted", "[verdict]") {
    CHECK(ingest::refusal{}.accepted());
    CHECK_FALSE(ingest::refusal{verdict::missing_field, "bid"}.accepted());
}
