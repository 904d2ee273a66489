#include <catch2/catch_test_macros.hpp>

#include <boost/json/parse.hpp>

#include <stdexcept>

#include "bench/report/json_text.h"
#include "bench/report/target.h"
#include "bench/report/text_table.h"

namespace {

using namespace bench;

TEST_CASE("a table is aligned by characters, not bytes", "[bench]") {
    text_table table({{"way", align::left}, {"rows/s"}});
    table.add({"tickd", "412,000"});
    table.add({"\xC3\xA9", "9"});  // one character of two bytes
    CHECK(table.to_text() ==
          "way     rows/s\n"
          "-----  -------\n"
          "tickd  412,000\n"
          "\xC3\xA9            9\n");
    CHECK(table.to_markdown() ==
          "| way | rows/s |\n"
          "|---|---:|\n"
          "| tickd | 412,000 |\n"
          "| \xC3\xA9 | 9 |\n");
    CHECK_THROWS_AS(table.add({"one cell"}), std::invalid_argument);
}

TEST_CASE("a bar in a cell does not end it in Markdown", "[bench]") {
    text_table table({{"a|b", align::left}});
    table.add({"c|d"});
    CHECK(table.to_markdown() == "| a\\|b |\n|---|\n| c\\|d |\n");
}

TEST_CASE("ratios, times and parts have the digits that matter", "[bench]") {
    CHECK(ratio_text(1.8349) == "1.83x");
    CHECK(ratio_text(30) == "30.00x");
    CHECK(time_text(0.0123) == "12.3 ms");
    CHECK(time_text(0.000'002'5) == "2.50 us");
    CHECK(time_text(0.000'000'012) == "12.0 ns");
    CHECK(time_text(0.9996) == "1.00 s");
    CHECK(time_text(0.123) == "123 ms");
    CHECK(time_text(61) == "61.0 s");
    CHECK(time_text(0) == "0.00 ns");
    CHECK(percent_text(0.0812) == "8 %");
}

TEST_CASE("a target is met by its median", "[bench]") {
    target_row least{
        .label = "I1", .what = "ratio", .measured = summarize({1.4, 1.6, 1.7}), .goal = 1.5};
    CHECK(least.met());
    least.goal = 1.65;
    CHECK_FALSE(least.met());
    target_row most{.label = "I6",
                    .what = "memory",
                    .unit = target_unit::bytes,
                    .measured = summarize({200e6}),
                    .goal = 256.0 * 1024 * 1024,
                    .goal_is_least = false};
    CHECK(most.met());
    const target_row unknown{.label = "I3", .what = "ratio", .why_not = "not run", .goal = 20};
    CHECK_FALSE(unknown.met());

    const std::string text = target_table({least, most, unknown}).to_text();
    CAPTURE(text);
    CHECK(text.contains("I1  ratio       1.60x"));
    CHECK(text.contains("1.40x to 1.70x"));
    CHECK(text.contains("<= 256.0 MiB"));
    CHECK(text.contains("not run"));

    const auto json = to_json(std::vector{least, most, unknown});
    CHECK_FALSE(json[0].at("met").as_bool());
    CHECK(json[1].at("met").as_bool());
    CHECK(json[2].at("measured").is_null());
}

TEST_CASE("JSON for people reads back as what it was", "[bench]") {
    const boost::json::value value =
        boost::json::parse(R"({"a":[1,2,{"b":[]},"x\"y"],"c":{"d":null,"e":1.5},"f":[[1],[2]]})");
    const std::string text = to_json_text(value);
    CHECK(boost::json::parse(text) == value);
    CHECK(text.contains("\n  \"c\": {\"d\":null,\"e\":1.5E0},\n"));
    CHECK(text.ends_with("}\n"));
}

}  // namespace
