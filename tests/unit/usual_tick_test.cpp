#include "ingest/usual_tick.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/support/parse_line.h"

using namespace std::string_view_literals;
using tickd_test::line_parser;
using tickd_test::now_us;
using tickd_test::parsed;

namespace {

// Whether the line is read in one pass. Its memory is of the exact size, so that AddressSanitizer
// sees a read beyond, and is followed by what could be taken for more of it.
[[nodiscard]] bool is_usual(std::string_view line, const ingest::record_rules& rules = {}) {
    bool usual = false;
    for (const std::string_view behind : {"\n"sv, "3}"sv, "\"}"sv, ",\"seq\":1}"sv, "0Z\"}"sv}) {
        const std::size_t size = line.size() + ingest::line_padding_bytes;
        const auto bytes = std::make_unique<char[]>(size);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = i < line.size() ? line[i] : behind[(i - line.size()) % behind.size()];
        }
        ingest::record_memory memory;
        ingest::record out;
        usual = ingest::read_usual_tick({bytes.get(), line.size()}, rules, {}, now_us, memory, out);
        if (!usual) return false;
    }
    return usual;
}

[[nodiscard]] std::string text_of(const parsed& from) {
    if (!from.why.accepted()) {
        return std::format("{} {}", to_string(from.why.reason), from.why.field);
    }
    const ingest::record& out = from.out;
    const auto text = [](ingest::optional_text t) {
        return ingest::present(t) ? std::format("'{}'", t) : "null";
    };
    return std::format("{} {} {} {} {} {} {} {} {} {} {}", static_cast<int>(out.kind), out.time_us,
                       out.seq, out.tenant ? to_text(*out.tenant) : "", text(out.metadata),
                       text(out.symbol), ingest::to_text(out.bid), ingest::to_text(out.ask),
                       ingest::to_text(out.mid), out.volume ? ingest::to_text(*out.volume) : "null",
                       text(out.source));
}

// A line that begins with white space is never usual: the same record by the longer way.
void check_same(line_parser& parser, const std::string& line) {
    const parsed usual = parser.parse(line, line.size() % 2 == 0 ? '}' : '\n');
    const std::string by_either = text_of(usual);
    const std::uint64_t seq = usual.out.seq;
    const parsed other = parser.parse("\t" + line);
    INFO(line);
    REQUIRE(by_either == text_of(other));
    REQUIRE(seq == other.out.seq);
}

// Values of every field, most of them good, many of them just not.
constexpr std::array numbers{"1"sv,
                             "0"sv,
                             "-0"sv,
                             "1.5"sv,
                             "-2.25"sv,
                             "61837.63"sv,
                             "0.00000001"sv,
                             "1.123456789"sv,
                             "1.10000000000"sv,
                             "1234567"sv,
                             "12345678"sv,
                             "1234567.12345678"sv,
                             "12345678.12345678"sv,
                             "999999999999.99999999"sv,
                             "1000000000000"sv,
                             "1e3"sv,
                             "1E-8"sv,
                             "1e-9"sv,
                             "01"sv,
                             "00.5"sv,
                             "1."sv,
                             ".5"sv,
                             "+1"sv,
                             "1e"sv,
                             "\"1.5\""sv,
                             "\"-0.1\""sv,
                             "\"01\""sv,
                             "\"1e2\""sv,
                             "\"\""sv,
                             "\"1.5"sv,
                             "\" 1\""sv,
                             "\"NaN\""sv,
                             "null"sv,
                             "true"sv,
                             "[1]"sv,
                             "{}"sv,
                             "1-2"sv,
                             "--1"sv,
                             "1.2.3"sv,
                             "-"sv,
                             "1 "sv,
                             "9999999.99999999"sv,
                             "\"1\\u0035\""sv,
                             "1\t"sv,
                             "0.1234567"sv,
                             "0.123456789"sv,
                             "7.00000000"sv,
                             "1:2"sv};
constexpr std::array times{"\"2024-08-08T23:54:14.024619Z\""sv,
                           "\"2024-08-08T23:54:14.024Z\""sv,
                           "\"2024-08-08T23:54:14Z\""sv,
                           "\"2024-08-08T23:54:14.024619123Z\""sv,
                           "\"2024-08-08T23:54:14+02:00\""sv,
                           "\"2024-08-08 23:54:14.024619-00:30\""sv,
                           "\"2024-08-08T23:54:14.5Z\""sv,
                           "\"2016-12-31T23:59:60Z\""sv,
                           "\"2024-02-30T00:00:00Z\""sv,
                           "\"2099-01-01T00:00:00Z\""sv,
                           "\"2024-08-09T00:54:15.000001Z\""sv,
                           "1723161254"sv,
                           "1723161254024619"sv,
                           "-1"sv,
                           "1.5"sv,
                           "1e9"sv,
                           "null"sv,
                           "\"\""sv,
                           "\"2024-08-08\""sv};
constexpr std::array texts{"\"EURUSD\""sv,
                           "\"A\""sv,
                           "\"12345678\""sv,
                           "\"12345678901234567890\""sv,
                           "\"123456789012345678901\""sv,
                           "\"\""sv,
                           "\"a b\""sv,
                           "\"é\""sv,
                           "\"a\\u00e4\""sv,
                           "\"a\\\"b\""sv,
                           "\"a\x01\""sv,
                           "\"a\x7f\""sv,
                           "\"\xff\""sv,
                           "null"sv,
                           "1"sv,
                           "\"open"sv,
                           "\"a\tb\""sv,
                           "\"01234567890123456789012345678901234567890123456789\""sv,
                           "\"012345678901234567890123456789012345678901234567890\""sv};
constexpr std::array objects{"{}"sv,
                             "{\"b\":1,\"a\":2}"sv,
                             "{\"a\":1,\"a\":2}"sv,
                             "{\"a\":{\"b\":[1,2,{}]}}"sv,
                             "{\"a\":\"\\u0000\"}"sv,
                             "{\"a\":\"é\"}"sv,
                             "{\"a\":\"\xc3\"}"sv,
                             "{ \"a\" : 1e2 }"sv,
                             "{\"a\":1"sv,
                             "{\"a\":01}"sv,
                             "{\"a\":1}}"sv,
                             "null"sv,
                             "[]"sv,
                             "\"x\""sv,
                             "{\"a\":\"\\ud800\"}"sv};

}  // namespace

TEST_CASE("what a feed sends is read in one pass", "[usual_tick]") {
    for (
        const std::string_view line :
        {R"({"type":"tick","time":"2024-08-08T23:54:14.024619Z","symbol":"ETHUSDT","bid":2683.8,"ask":2683.81,"volume":34.4687,"source":"binance-spot","metadata":{"bid_size":3.0292,"ask_size":31.4395,"update_id":35346513501}})"sv,
         R"({"type":"tick","time":"2014-05-01T05:00:01.787000Z","symbol":"EURUSD","bid":1.38727,"ask":1.38729,"source":"fxcm"})"sv,
         R"({"symbol": "X", "bid": -1, "ask": "12345678901.5", "time": 1723161254024, "seq": 9223372036854775807})"sv,
         R"({"seq":1,"symbol":"X","bid":1e2,"ask":0.00000001,"mid":1,"volume":0})"sv}) {
        INFO(line);
        CHECK(is_usual(line));
        for (std::size_t cut = 0; cut < line.size(); ++cut)
            CHECK_FALSE(is_usual(line.substr(0, cut)));
        CHECK_FALSE(is_usual(std::string(line) + "}"));
        line_parser parser;
        check_same(parser, std::string(line));
    }
}

TEST_CASE("what is not usual is left alone", "[usual_tick]") {
    for (const std::string_view members :
         {R"("symbol":"X","bid":1)"sv, R"("symbol":"X","bid":1,"ask":2,"bid":1)"sv,
          R"("type":"tick","type":"tick","symbol":"X","bid":1,"ask":2)"sv,
          R"("symbol":"X","bid":1,"ask":2,"venue":"x")"sv, R"("type":"activity","bid":1,"ask":2)"sv,
          R"("symbol":"X","bid":1,"ask":2,"tenant":null)"sv, R"("symbol":"X","bid":1,"ask":2,)"sv,
          R"("symbol":"X","bid":1,"ask":2,"seq":0)"sv,
          R"("symbol":"X","bid":1,"ask":2,"volume":-1)"sv,
          R"("symbol":"X","bid":1,"ask":2,"time":"2099-01-01T00:00:00Z")"sv}) {
        INFO(members);
        CHECK_FALSE(is_usual("{" + std::string(members) + "}"));
    }
    ingest::record_rules rules;
    rules.depth_max = 1;
    CHECK_FALSE(is_usual(R"({"symbol":"X","bid":1,"ask":2,"metadata":{}})", rules));
}

TEST_CASE("one pass gives what the longer way gives", "[usual_tick]") {
    std::mt19937_64 random(8'259);  // NOLINT(*-msc51-cpp): the same lines every time
    const auto one_of = [&random](const auto& from) {
        // Two in three are the first, which is good, so that lines with one odd value are common.
        return from[random() % 3 != 0 ? 0 : random() % from.size()];
    };
    std::vector<line_parser> parsers(4);
    parsers[1].source = "session";
    parsers[1].rules.excess = ingest::excess_digits::round;
    parsers[2].rules.past_limit_us = 60'000'000;
    parsers[2].rules.tenant = ingest::uuid{};
    parsers[3].rules.depth_max = 3;
    parsers[3].rules.unknown = ingest::unknown_fields::reject;
    constexpr std::string_view noise = "{}[]\",:\\0159.-+eE \t\x80\xff\0ntbasv"sv;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::string> members;
        const auto add = [&](std::string_view key, std::string_view value, unsigned in_ten) {
            if (random() % 10 < in_ten) members.push_back(std::format("\"{}\":{}", key, value));
        };
        add("type", random() % 20 != 0 ? "\"tick\""sv : "\"activity\""sv, 8);
        add("time", one_of(times), 7);
        add("symbol", one_of(texts), 9);
        add("bid", random() % 2 == 0 ? numbers[random() % numbers.size()] : "1.08"sv, 9);
        add("ask", random() % 2 == 0 ? numbers[random() % numbers.size()] : "1.09"sv, 9);
        add("mid", one_of(numbers), 2);
        add("volume", one_of(numbers), 3);
        add("source", one_of(texts), 5);
        add("metadata", one_of(objects), 4);
        add("seq", random() % 4 == 0 ? one_of(numbers) : "77"sv, 4);
        add("venue", "\"x\"", 1);
        if (random() % 4 == 0) std::ranges::shuffle(members, random);
        const std::string_view between = random() % 4 == 0 ? ", " : ",";
        std::string line = "{";
        for (const std::string& member : members) {
            if (line.size() > 1) line += between;
            line += member;
        }
        line += '}';
        if (random() % 4 == 0) line[random() % line.size()] = noise[random() % noise.size()];
        if (random() % 50 == 0) line.resize(1 + random() % line.size());
        check_same(parsers[random() % parsers.size()], line);
    }
}
