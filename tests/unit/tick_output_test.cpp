#include "daemon/query/tick_output.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "ingest/segment_decoder.h"
#include "ingest/segment_encoder.h"

using namespace tickd;
using ingest::int128;

namespace {

ingest::tick_columns two_ticks() {
    ingest::segment_encoder encoder;
    REQUIRE(encoder.add({.time_us = 1'704'067'200'000'001,
                         .bid = 108'213'000,
                         .ask = 108'215'000,
                         .mid = 108'214'000,
                         .volume = int128{250'000'000},
                         .symbol = "EUR,USD",
                         .source = "a\"b",
                         .metadata = R"({"n": 1})"}));
    REQUIRE(encoder.add({.time_us = 1'704'067'200'500'000,
                         .bid = -1,
                         .ask = 0,
                         .mid = 0,
                         .volume = {},
                         .symbol = "EUR,USD",
                         .source = {},
                         .metadata = {}}));
    const auto made = encoder.finish();
    ingest::tick_columns columns;
    ingest::segment_decoder decoder;
    REQUIRE(decoder.append_with_metadata(made.data, made.metadata, {}, columns));
    return columns;
}

std::string whole(output_form form) {
    tick_output output(form);
    std::string out;
    output.begin(out);
    output.ticks(two_ticks(), out);
    output.end(out);
    return out;
}

}  // namespace

TEST_CASE("ticks as CSV") {
    CHECK(whole(output_form::csv) ==
          "time,symbol,bid,ask,mid,volume,source,metadata\n"
          "2024-01-01T00:00:00.000001Z,\"EUR,USD\",1.08213000,1.08215000,1.08214000,2.50000000,"
          "\"a\"\"b\",\"{\"\"n\"\": 1}\"\n"
          "2024-01-01T00:00:00.500000Z,\"EUR,USD\",-0.00000001,0.00000000,0.00000000,,,\n");
}

TEST_CASE("ticks as lines that tickd takes") {
    CHECK(
        whole(output_form::ndjson) ==
        R"({"type":"tick","time":"2024-01-01T00:00:00.000001Z","symbol":"EUR,USD","bid":"1.08213000","ask":"1.08215000","mid":"1.08214000","volume":"2.50000000","source":"a\"b","metadata":{"n": 1}})"
        "\n"
        R"({"type":"tick","time":"2024-01-01T00:00:00.500000Z","symbol":"EUR,USD","bid":"-0.00000001","ask":"0.00000000","mid":"0.00000000"})"
        "\n");
}

TEST_CASE("ticks as a table have a line each") {
    const std::string text = whole(output_form::table);
    CHECK(std::ranges::count(text, '\n') == 3);
    CHECK(text.starts_with("time "));
    CHECK(text.contains(" 1.08213000 "));
}

TEST_CASE("ticks as COPY BINARY have header, rows of eight fields and trailer") {
    const std::string bytes = whole(output_form::binary);
    CHECK(bytes.starts_with(std::string("PGCOPY\n\377\r\n\0", 11)));
    CHECK(bytes.substr(19, 2) == std::string("\0\10", 2));
    CHECK(bytes.ends_with("\377\377"));
}
