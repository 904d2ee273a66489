#include "ingest/hello.h"

#include <catch2/catch_test_macros.hpp>

#include "ingest/limits.h"

using ingest::ack_level;
using ingest::hello;
using ingest::hello_error;
using ingest::looks_like_hello;
using ingest::parse_hello;

namespace {

hello_error error_of(std::string_view line) {
    const auto parsed = parse_hello(line);
    REQUIRE_FALSE(parsed.has_value());
    return parsed.error();
}

}  // namespace

TEST_CASE("a whole hello is read") {
    const auto parsed = parse_hello(
        R"({"type":"hello","producer":"feed-a","ack":"spooled","token":"s3cret","source":"fxcm"})");
    REQUIRE(parsed);
    CHECK(parsed->producer == "feed-a");
    CHECK(parsed->ack == ack_level::spooled);
    CHECK(parsed->token == "s3cret");
    CHECK(parsed->source == "fxcm");
}

TEST_CASE("only the producer is required; null counts as absent") {
    for (const std::string_view line :
         {R"({"type":"hello","producer":"p"})",
          R"( { "producer" : "\u0070" , "ack" : null , "token":null, "source":null,)"
          R"("type":"hello"} )"}) {
        const auto parsed = parse_hello(line);
        REQUIRE(parsed);
        CHECK(parsed->producer == "p");
        CHECK(parsed->ack == ack_level::committed);
        CHECK(parsed->token.empty());
        CHECK(parsed->source.empty());
    }
}

TEST_CASE("each mistake in a hello has its own error") {
    const auto with = [](std::string_view members) {
        return R"({"type":"hello","producer":"p")" + std::string(members) + "}";
    };
    CHECK(error_of("") == hello_error::not_json);
    CHECK(error_of("{") == hello_error::not_json);
    CHECK(error_of("[]") == hello_error::not_json);
    CHECK(error_of(with("") + "x") == hello_error::not_json);
    CHECK(error_of(with(",\"token\":\"\xff\"")) == hello_error::not_json);
    CHECK(error_of(with(R"(,"acks":"none")")) == hello_error::unknown_member);
    CHECK(error_of(with(R"(,"producer":"p")")) == hello_error::duplicate_member);
    CHECK(error_of(with(R"(,"token":7)")) == hello_error::wrong_type);
    CHECK(error_of(R"({"type":"hello"})") == hello_error::producer_missing);
    CHECK(error_of(R"({"type":"hello","producer":null})") == hello_error::producer_missing);
    CHECK(error_of(R"({"type":"hello","producer":""})") == hello_error::producer_invalid);
    CHECK(error_of(with(R"(,"ack":"Committed")")) == hello_error::ack_invalid);
    CHECK(error_of(with(R"(,"source":"")")) == hello_error::source_invalid);
    CHECK(error_of(with(",\"source\":\"" + std::string(51, 's') + "\"")) ==
          hello_error::source_invalid);
    CHECK(error_of(with(",\"token\":\"" + std::string(5000, 't') + "\"")) == hello_error::too_long);
    for (int i = 0; i <= static_cast<int>(hello_error::source_invalid); ++i) {
        CHECK_FALSE(explain(static_cast<hello_error>(i)).empty());
    }
}

TEST_CASE("a producer's name is 1 to 100 characters, none of them a control character") {
    const auto named = [](std::string_view name) {
        return parse_hello(R"({"type":"hello","producer":")" + std::string(name) + "\"}");
    };
    CHECK(named(std::string(100, 'n')));
    CHECK_FALSE(named(std::string(101, 'n')));
    std::string euros;
    for (int i = 0; i < 100; ++i) euros += "\u20ac";
    CHECK(named(euros));
    CHECK_FALSE(named(euros + "e"));
    CHECK(named("b\u00fcro 7"));
    for (const std::string_view bad :
         {R"(a\u0000b)", R"(a\nb)", R"(\u001f)", R"(\u007f)", R"(\u0080)", R"(\u009f)"}) {
        CHECK(named(bad).error() == hello_error::producer_invalid);
    }
    CHECK(named(R"(\u00a0)"));
}

TEST_CASE("only a line whose own type is hello looks like one") {
    CHECK(looks_like_hello(R"({"type":"hello","producer":"p"})"));
    CHECK(looks_like_hello(R"( {"producer":"p", "type" : "hello" })"));
    CHECK(looks_like_hello(R"({"t\u0079pe":"hello"})"));
    CHECK(looks_like_hello(R"({"type":"hello","producer":)"));
    CHECK(looks_like_hello("\xEF\xBB\xBF{\"type\":\"hello\"}"));
    CHECK_FALSE(looks_like_hello(""));
    CHECK_FALSE(looks_like_hello("{"));
    CHECK_FALSE(looks_like_hello(R"("type":"hello")"));
    CHECK_FALSE(looks_like_hello(R"(["type","hello"])"));
    CHECK_FALSE(looks_like_hello(R"({"type":"tick","source":"hello"})"));
    CHECK_FALSE(looks_like_hello(R"({"type":"tick","metadata":{"type":"hello"}})"));
    CHECK_FALSE(looks_like_hello(R"({"note":"\"type\":\"hello\"","symbol":"hello"})"));
    CHECK_FALSE(looks_like_hello(R"({"type":"hello)"));
}

TEST_CASE("a hello that is written is read back") {
    const hello sent{.producer = "a \"quoted\" feed",
                     .ack = ack_level::none,
                     .token = "t\\k",
                     .source = "b\u00f6rse"};
    const std::string line = to_line(sent);
    REQUIRE(line.ends_with("}\n"));
    REQUIRE(looks_like_hello(line));
    const auto read = parse_hello(line);
    REQUIRE(read);
    CHECK(read->producer == sent.producer);
    CHECK(read->ack == sent.ack);
    CHECK(read->token == sent.token);
    CHECK(read->source == sent.source);
    CHECK(ingest::to_line({.producer = "p"}) ==
          "{\"type\":\"hello\",\"producer\":\"p\",\"ack\":\"committed\"}\n");
}
