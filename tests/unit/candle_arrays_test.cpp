#include "daemon/compact/candle_arrays.h"

#include <catch2/catch_test_macros.hpp>

using namespace tickd;
using ingest::int128;

TEST_CASE("texts of an array are quoted, what is plain is not") {
    pg_array_text array;
    CHECK(array.take() == "{}");
    array.add(R"(a"b\c,{})");
    array.add_plain("1.5");
    array.add_null();
    CHECK(array.take() == R"({"a\"b\\c,{}",1.5,NULL})");
    CHECK(array.take() == "{}");
}

TEST_CASE("candles become one array a column, and the newest time of each symbol is kept") {
    ingest::candle_set candles;
    const int128 volume = 200'000'000;
    candles.add({}, "A", 0, 100'000'000, nullptr);
    candles.add({}, "A", 61'000'000, 300'000'000, &volume);
    candles.add(ingest::uuid{}, "A", 5'000'000, -1, nullptr);
    const auto columns = candle_parameters(candles.all().begin(), candles.all().end());
    REQUIRE(columns.size() == 12);
    CHECK(columns[0] == R"({"A","A","A"})");
    CHECK(columns[1] == "{NULL,NULL,00000000-0000-0000-0000-000000000000}");
    CHECK(columns[2] ==
          "{1970-01-01T00:00:00.000000Z,1970-01-01T00:01:00.000000Z,"
          "1970-01-01T00:00:00.000000Z}");
    CHECK(columns[3] == "{1.00000000,3.00000000,-0.00000001}");
    CHECK(columns[9] == "{1,1,1}");
    CHECK(columns[10] == "{NULL,2.00000000,NULL}");
    CHECK(columns[11] == "{NULL,6.0000000000000000,NULL}");
    const auto latest = latest_parameters(candles);
    REQUIRE(latest.size() == 3);
    CHECK(latest[0] == R"({"A","A"})");
    CHECK(latest[1] == "{NULL,00000000-0000-0000-0000-000000000000}");
    CHECK(latest[2] == "{1970-01-01T00:01:01.000000Z,1970-01-01T00:00:05.000000Z}");
}
