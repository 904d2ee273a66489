#include "ingest/record_parser.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "ingest/timestamp.h"
#include "tests/support/parse_line.h"

using ingest::record_kind;
using ingest::uuid;
using ingest::verdict;
using tickd_test::activity_with;
using tickd_test::line_parser;
using tickd_test::now_us;
using tickd_test::parsed;
using tickd_test::tick_with;

namespace {

constexpr std::string_view id_a = "d67691f6-3ead-5baa-8c39-f82881d24619";
constexpr std::string_view id_b = "d899b237-f2d5-5bab-8b05-b5fc28603b04";

uuid uuid_of(std::string_view text) { return ingest::parse_uuid(text).value(); }

std::string quoted(std::string_view key, std::string_view text) {
    return ",\"" + std::string(key) + "\":\"" + std::string(text) + "\"";
}

}  // namespace

TEST_CASE("a tick with every field") {
    line_parser p;
    p.rules.tenant_from_payload = true;
    const parsed r = p.parse_padded(
        R"({"type":"tick","time":"2024-08-08T23:54:14.024619Z","symbol":"ETHUSDT","bid":2683.8,)"
        R"("ask":"2683.81","mid":2683.9,"volume":34.4687,"source":"spot","seq":7,)"
        R"("metadata":{"b":1.10, "a":[true]},"tenant":"d67691f6-3ead-5baa-8c39-f82881d24619"})");
    REQUIRE(r.why.accepted());
    CHECK(r.out.kind == record_kind::tick);
    CHECK(ingest::to_rfc3339(r.out.time_us) == "2024-08-08T23:54:14.024619Z");
    CHECK(r.out.symbol == "ETHUSDT");
    CHECK(ingest::to_text(r.out.bid) == "2683.80000000");
    CHECK(ingest::to_text(r.out.ask) == "2683.81000000");
    CHECK(ingest::to_text(r.out.mid) == "2683.90000000");
    REQUIRE(r.out.volume);
    CHECK(ingest::to_text(*r.out.volume) == "34.46870000");
    CHECK(r.out.source == "spot");
    CHECK(r.out.seq == 7);
    CHECK(r.out.metadata == R"({"a": [true], "b": 1.10})");
    CHECK(r.out.tenant == uuid_of(id_a));
}

TEST_CASE("a tick with what is required only") {
    line_parser p;
    p.source = "session";
    const parsed r = p.parse_padded(R"({"symbol":"X","bid":-0.00000001,"ask":0.00000002})");
    REQUIRE(r.why.accepted());
    CHECK(r.out.time_us == now_us);
    CHECK(r.out.mid == 1);  // 0.5 units, rounded half away from zero
    CHECK_FALSE(r.out.volume);
    CHECK(r.out.source == "session");
    CHECK(r.out.seq == 0);
    CHECK_FALSE(r.out.tenant);
    CHECK_FALSE(ingest::present(r.out.metadata));
    p.source = {};
    CHECK_FALSE(ingest::present(p.parse(tick_with("")).out.source));
}

TEST_CASE("an activity event with every field, and with the required ones") {
    line_parser p;
    const parsed r = p.parse_padded(
        R"({"type":"activity","timestamp":1723161254,"agent_id":"desk","action_type":"order/new",)"
        R"("action_payload":[1,{"z":null}],"user_id":"d67691f6-3ead-5baa-8c39-f82881d24619",)"
        R"("session_id":"D899B237-F2D5-5BAB-8B05-B5FC28603B04","metadata":{},"seq":9})");
    REQUIRE(r.why.accepted());
    CHECK(r.out.kind == record_kind::activity);
    CHECK(r.out.time_us == 1'723'161'254'000'000);
    CHECK(r.out.agent_id == "desk");
    CHECK(r.out.action_type == "order/new");
    CHECK(r.out.action_payload == R"([1, {"z": null}])");
    CHECK(r.out.user_id == uuid_of(id_a));
    CHECK(r.out.session_id == uuid_of(id_b));
    CHECK(r.out.metadata == "{}");
    CHECK(r.out.seq == 9);

    const parsed least = p.parse_padded(R"({"action_payload":null,"action_type":"x"})");
    REQUIRE(least.why.accepted());
    CHECK(least.out.kind == record_kind::activity);
    CHECK(least.out.action_payload == "null");
    CHECK(least.out.time_us == now_us);
    CHECK_FALSE(ingest::present(least.out.agent_id));
    CHECK_FALSE(ingest::present(least.out.metadata));
    CHECK_FALSE(least.out.user_id);

    const parsed empty_agent = p.parse_padded(activity_with(R"(,"agent_id":"")"));
    REQUIRE(empty_agent.why.accepted());
    CHECK(ingest::present(empty_agent.out.agent_id));
    CHECK(empty_agent.out.agent_id.empty());
}

TEST_CASE("what a record is") {
    line_parser p;
    const auto kind = [&p](std::string_view line) {
        const parsed r = p.parse_padded(line);
        REQUIRE(r.why.accepted());
        return r.out.kind;
    };
    const std::string_view both =
        R"("symbol":"X","bid":1,"ask":2,"action_type":"t","action_payload":0)";
    CHECK(kind("{" + std::string(both) + "}") == record_kind::tick);
    CHECK(kind("{" + std::string(both) + R"(,"type":"activity"})") == record_kind::activity);
    CHECK(kind(R"({"type":"activity",)" + std::string(both) + "}") == record_kind::activity);
    CHECK(kind("{" + std::string(both) + R"(,"t\u0079pe":"\u0074ick"})") == record_kind::tick);
    CHECK(kind(R"({"type":null,"action_type":"t","action_payload":0})") == record_kind::activity);
    CHECK(kind(R"({"s\u0079mbol":"X","\u0062id":1,"ask":2})") == record_kind::tick);
    CHECK(kind(" { \"type\" : \"tick\" , \"symbol\" : \"X\" , \"bid\" : 1 , \"ask\" : 2 } ") ==
          record_kind::tick);
    CHECK(kind("\xEF\xBB\xBF" + tick_with("")) == record_kind::tick);

    CHECK(p.parse_padded("{}").is(verdict::unknown_type, "type"));
    CHECK(p.parse_padded(R"({"bid":1,"ask":2})").is(verdict::unknown_type, "type"));
    CHECK(p.parse_padded(R"({"type":"hello","producer":"p"})").is(verdict::unknown_type, "type"));
    CHECK(p.parse_padded(R"({"symbol":"X","type":"Tick"})").is(verdict::unknown_type, "type"));
    CHECK(p.parse_padded(R"({"type":1,"symbol":"X"})").is(verdict::wrong_type, "type"));
    CHECK(p.parse_padded(R"({"symbol":"X","type":[]})").is(verdict::wrong_type, "type"));
}

TEST_CASE("texts without escapes lie in the line, others in the parser's memory") {
    line_parser p;
    const std::string line =
        R"({"type":"tick","symbol":"ABC","bid":1,"ask":2,"source":"a\u00e4b"})";
    const parsed r = p.parse(line);
    REQUIRE(r.why.accepted());
    CHECK(r.out.source == "a\u00e4b");
    // One more than the bytes from the opening quote of the symbol to its own: same memory.
    CHECK(std::string_view(r.out.symbol.data() - 1, 5) == "\"ABC\"");
}

TEST_CASE("null is the same as absent") {
    line_parser p;
    const parsed r = p.parse_padded(
        tick_with(R"(,"mid":null,"volume":null,"time":null,"source":null,"metadata":null)"
                  R"(,"seq":null,"tenant":null)"));
    REQUIRE(r.why.accepted());
    CHECK(r.out.mid == 162'500'000);
    CHECK(r.out.seq == 0);
    CHECK(r.out.time_us == now_us);
    CHECK_FALSE(ingest::present(r.out.metadata));
    CHECK(p
              .parse_padded(activity_with(
                  R"(,"timestamp":null,"time":1,"agent_id":null,"user_id":null,"session_id":null)"))
              .why.accepted());
    CHECK(
        p.parse_padded(R"({"symbol":null,"bid":1,"ask":2})").is(verdict::missing_field, "symbol"));
    CHECK(p.parse_padded(R"({"symbol":"X","bid":null,"ask":2})").is(verdict::missing_field, "bid"));
    CHECK(p.parse_padded(R"({"symbol":"X","bid":2})").is(verdict::missing_field, "ask"));
    CHECK(p.parse_padded(R"({"action_type":null,"action_payload":1})")
              .is(verdict::missing_field, "action_type"));
    CHECK(p.parse_padded(R"({"action_type":"x"})").is(verdict::missing_field, "action_payload"));
}

TEST_CASE("lengths are counted in characters") {
    line_parser p;
    const auto repeat = [](std::string_view text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += text;
        return out;
    };
    const auto symbol = [&](std::string_view text) {
        return p.parse_padded("{\"symbol\":\"" + std::string(text) + R"(","bid":1,"ask":2})");
    };
    for (const std::string_view one : {"x", "\u00e4", "\u20ac", "\U0001F4C8"}) {
        CHECK(symbol(repeat(one, 20)).why.accepted());
        CHECK(symbol(repeat(one, 21)).is(verdict::text_too_long, "symbol"));
    }
    CHECK(symbol(repeat("\\u20ac", 20)).why.accepted());
    CHECK(symbol(repeat("\\ud83d\\udcc8", 21)).is(verdict::text_too_long, "symbol"));
    CHECK(symbol("").is(verdict::empty_text, "symbol"));

    CHECK(p.parse(tick_with(quoted("source", repeat("\u00e4", 50)))).why.accepted());
    CHECK(p.parse(tick_with(quoted("source", repeat("\u00e4", 51))))
              .is(verdict::text_too_long, "source"));
    CHECK(p.parse(tick_with(quoted("source", ""))).is(verdict::empty_text, "source"));
    CHECK(p.parse(activity_with(quoted("agent_id", repeat("a", 100)))).why.accepted());
    CHECK(p.parse(activity_with(quoted("agent_id", repeat("a", 101))))
              .is(verdict::text_too_long, "agent_id"));
    const auto action = [&](std::string_view text) {
        return p.parse_padded(R"({"action_payload":1)" + quoted("action_type", text) + "}");
    };
    CHECK(action(repeat("\u20ac", 50)).why.accepted());
    CHECK(action(repeat("\u20ac", 51)).is(verdict::text_too_long, "action_type"));
    CHECK(action("").is(verdict::empty_text, "action_type"));
}

TEST_CASE("prices and volumes are exact or refused") {
    line_parser p;
    const auto bid = [&p](std::string_view token) {
        return p.parse_padded(R"({"symbol":"X","bid":)" + std::string(token) + R"(,"ask":1})");
    };
    const auto bid_text = [&](std::string_view token) {
        const parsed r = bid(token);
        return r.why.accepted() ? ingest::to_text(r.out.bid) : std::string(to_string(r.why.reason));
    };
    CHECK(bid_text("-0") == "0.00000000");
    CHECK(bid_text("0.1") == "0.10000000");
    CHECK(bid_text("1E5") == "100000.00000000");
    CHECK(bid_text("1e-8") == "0.00000001");
    CHECK(bid_text("\"-3.5\"") == "-3.50000000");
    CHECK(bid_text("\"1\\u0035\"") == "15.00000000");
    CHECK(bid_text("999999999999.99999999") == "999999999999.99999999");
    CHECK(bid_text("1" + std::string(399, '0') + "e-399") == "1.00000000");

    CHECK(bid("1e-9").is(verdict::too_precise, "bid"));
    CHECK(bid("0." + std::string(400, '3')).is(verdict::too_precise, "bid"));
    CHECK(bid("1000000000000").is(verdict::out_of_range, "bid"));
    CHECK(bid("1" + std::string(400, '0')).is(verdict::out_of_range, "bid"));
    CHECK(bid("\"1,5\"").is(verdict::not_decimal, "bid"));
    CHECK(bid("\"\"").is(verdict::not_decimal, "bid"));
    CHECK(bid("\" 1\"").is(verdict::not_decimal, "bid"));
    CHECK(bid("\"NaN\"").is(verdict::not_finite, "bid"));
    CHECK(bid("NaN").is(verdict::not_finite, "bid"));
    CHECK(bid("-Infinity").is(verdict::not_finite, "bid"));
    CHECK(bid("true").is(verdict::wrong_type, "bid"));
    CHECK(bid("[1]").is(verdict::wrong_type, "bid"));
    CHECK(bid("{}").is(verdict::wrong_type, "bid"));
    for (const std::string_view broken :
         {"01", "1.", ".5", "+1", "1e", "0x1", "1a", "tru", "nul"}) {
        CHECK(bid(broken).is(verdict::not_json));
    }

    const auto volume = [&p](std::string_view token) {
        return p.parse_padded(tick_with(",\"volume\":" + std::string(token)));
    };
    CHECK(*volume("-0.0").out.volume == 0);
    CHECK(volume("9999999999999999999999.99999999").why.accepted());
    CHECK(volume("1e22").is(verdict::out_of_range, "volume"));
    CHECK(volume("-0.00000001").is(verdict::negative_volume, "volume"));
    CHECK(p.parse_padded(tick_with(R"(,"mid":1e12)")).is(verdict::out_of_range, "mid"));
    CHECK(p.parse_padded(R"({"symbol":"X","bid":1,"ask":"x"})").is(verdict::not_decimal, "ask"));

    p.rules.excess = ingest::excess_digits::round;
    CHECK(bid_text("0.000000005") == "0.00000001");
    CHECK(bid_text("999999999999.999999995") == "out_of_range");
}

TEST_CASE("times") {
    line_parser p;
    p.rules.future_limit_us = INT64_MAX;
    const auto time_text = [&p](std::string_view value) {
        const parsed r = p.parse_padded(tick_with(",\"time\":" + std::string(value)));
        if (r.why.accepted()) return ingest::to_rfc3339(r.out.time_us);
        CHECK(r.why.field == "time");
        return std::string(to_string(r.why.reason));
    };
    CHECK(time_text("\"2024-08-08t23:54:14.123456789+02:00\"") == "2024-08-08T21:54:14.123456Z");
    CHECK(time_text("\"0001-01-01T00:00:00Z\"") == "0001-01-01T00:00:00.000000Z");
    CHECK(time_text("\"9999-12-31T23:59:59.999999Z\"") == "9999-12-31T23:59:59.999999Z");
    CHECK(time_text("\"0001-01-01T00:00:00+00:01\"") == "time_invalid");
    CHECK(time_text("\"9999-12-31T23:59:59-00:01\"") == "time_invalid");
    CHECK(time_text("\"2016-12-31T23:59:60Z\"") == "leap_second");
    CHECK(time_text("\"2024-08-08T24:00:00Z\"") == "time_invalid");
    CHECK(time_text("\"2024-08-08T23:54:14\"") == "time_invalid");
    CHECK(time_text("\"1723161254\"") == "time_invalid");
    CHECK(time_text("\"\"") == "time_invalid");
    CHECK(time_text("1723161254") == "2024-08-08T23:54:14.000000Z");
    CHECK(time_text("1723161254024") == "2024-08-08T23:54:14.024000Z");
    CHECK(time_text("1723161254024619") == "2024-08-08T23:54:14.024619Z");
    CHECK(time_text("1723161254024619999") == "2024-08-08T23:54:14.024619Z");
    CHECK(time_text("-1") == "1969-12-31T23:59:59.000000Z");
    CHECK(time_text("-99999999999") == "time_invalid");
    CHECK(time_text("1723161254.5") == "time_invalid");
    CHECK(time_text("1e9") == "time_invalid");
    CHECK(time_text("99999999999999999999") == "time_invalid");
    CHECK(time_text("true") == "wrong_type");
    CHECK(time_text("{}") == "wrong_type");
}

TEST_CASE("times far from now are refused, to the microsecond") {
    line_parser p;
    const auto at = [&p](std::int64_t us) {
        const std::string time = quoted("time", ingest::to_rfc3339(us));
        const parsed tick = p.parse_padded(tick_with(time));
        const parsed event = p.parse_padded(activity_with(time));
        CHECK(tick.why.reason == event.why.reason);
        return tick.why.reason;
    };
    CHECK(at(now_us + 3'600'000'000) == verdict::accepted);
    CHECK(at(now_us + 3'600'000'001) == verdict::time_too_far_ahead);
    CHECK(at(0) == verdict::accepted);
    p.rules.past_limit_us = 60'000'000;
    CHECK(at(now_us - 60'000'000) == verdict::accepted);
    CHECK(at(now_us - 60'000'001) == verdict::time_too_old);
    CHECK(p.parse_padded(activity_with(R"(,"timestamp":"2099-01-01T00:00:00Z")"))
              .is(verdict::time_too_far_ahead, "timestamp"));
}

TEST_CASE("an activity event has one time") {
    line_parser p;
    CHECK(p.parse_padded(activity_with(R"(,"time":1,"timestamp":2)"))
              .is(verdict::duplicate_key, "timestamp"));
    CHECK(p.parse_padded(activity_with(R"(,"timestamp":2,"time":1)"))
              .is(verdict::duplicate_key, "timestamp"));
    CHECK(p.parse_padded(activity_with(R"(,"timestamp":2,"time":null)")).out.time_us == 2'000'000);
}
