// Input that cannot be used: each bad line becomes one dead letter with the right verdict and its
// own bytes, its neighbours arrive, and the connection lives.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/real_data.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

struct bad_line {
    std::string line;
    std::string verdict;
    std::string field = "\\N";
};

std::string good_line(std::size_t number) {
    return std::format("{{\"type\":\"tick\",\"symbol\":\"good{}\",\"bid\":1,\"ask\":2}}\n", number);
}

std::string hex_of(std::string_view bytes) {
    std::string hex;
    for (const char c : bytes) hex += std::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

std::string tick(const std::string& fields) {
    return R"({"type":"tick","symbol":"S",)" + fields + "}";
}
std::string price(const std::string& bid) { return tick("\"bid\":" + bid + ",\"ask\":1"); }
std::string extra(const std::string& fields) { return tick("\"bid\":1,\"ask\":1," + fields); }
std::string event(const std::string& fields) {
    return R"({"type":"activity","action_type":"t","action_payload":1,)" + fields + "}";
}
std::string digits(std::size_t count) { return std::string(count, '7'); }

std::vector<bad_line> broken_lines() {
    using namespace std::string_literals;
    std::vector<bad_line> all{
        {"x", "not_json"},
        {"{", "not_json"},
        {"\"text\"", "not_object"},
        {"[]", "not_object"},
        {"17", "not_object"},
        {"null", "not_object"},
        {"{}", "unknown_type", "type"},
        {R"({"a":1})", "unknown_type", "type"},
        {R"({"type":"quote","symbol":"S","bid":1,"ask":1})", "unknown_type", "type"},
        {R"({"type":1,"symbol":"S","bid":1,"ask":1})", "wrong_type", "type"},
        {price("1") + price("1"), "not_json"},
        {price("1") + "\0"s, "not_json"},
        {"\0"s, "not_json"},
        {"\0\0\0{}"s, "not_json"},
        {"{\"symbol\":\"a\0b\",\"bid\":1,\"ask\":1}"s, "not_json"},
        {"\xef\xbb" + price("1"), "not_utf8"},
        {std::string(200'000, '['), "nested_too_deep"},
        {event("\"metadata\":{\"a\":" + std::string(127, '[') + std::string(127, ']') + "}"),
         "nested_too_deep", "metadata"},
    };
    // Cut off anywhere, inside a character too. The line's end tells, not the connection's.
    const std::string whole = extra(R"("metadata":{"a":[1,"é\u00e9",null]})");
    for (std::size_t size = 1; size < whole.size(); ++size) {
        all.push_back({whole.substr(0, size), "not_json"});
    }
    return all;
}

std::vector<bad_line> bad_fields() {
    std::vector<bad_line> all{
        {tick("\"ask\":1"), "missing_field", "bid"},
        {tick("\"bid\":1,\"ask\":null"), "missing_field", "ask"},
        {R"({"type":"tick","bid":1,"ask":1})", "missing_field", "symbol"},
        {R"({"symbol":"","bid":1,"ask":1})", "empty_text", "symbol"},
        {R"({"symbol":7,"bid":1,"ask":1})", "wrong_type", "symbol"},
        {R"({"symbol":"日日日日日日日日日日日日日日日日日日日日日","bid":1,"ask":1})",
         "text_too_long", "symbol"},
        {R"({"symbol":"𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘𝔘x","bid":1,"ask":1})", "text_too_long", "symbol"},
        {R"({"symbol":"a\u0000b","bid":1,"ask":1})", "nul_character", "symbol"},
        {R"({"symbol":"a\ud800","bid":1,"ask":1})", "lone_surrogate", "symbol"},
        {R"({"symbol":"a\x","bid":1,"ask":1})", "not_json"},
        {price("1e-9"), "too_precise", "bid"},
        {price("0.000000001"), "too_precise", "bid"},
        {price("0.30000000000000004"), "too_precise", "bid"},
        {price("1000000000000"), "out_of_range", "bid"},
        {price("-1000000000000"), "out_of_range", "bid"},
        {price("1e12"), "out_of_range", "bid"},
        {price("1e999999999999999999999"), "out_of_range", "bid"},
        {price(digits(400)), "out_of_range", "bid"},
        {price("0." + digits(400)), "too_precise", "bid"},
        {price("\"" + digits(400) + "\""), "out_of_range", "bid"},
        {price("\"\""), "not_decimal", "bid"},
        {price("\" 1\""), "not_decimal", "bid"},
        {price("\"1,5\""), "not_decimal", "bid"},
        {price("\"0x10\""), "not_decimal", "bid"},
        {price("NaN"), "not_finite", "bid"},
        {price("\"-Infinity\""), "not_finite", "bid"},
        {price("01"), "not_json"},
        {price("+1"), "not_json"},
        {price(".5"), "not_json"},
        {price("1."), "not_json"},
        {price("true"), "wrong_type", "bid"},
        {price("{}"), "wrong_type", "bid"},
        {extra("\"mid\":\"one\""), "not_decimal", "mid"},
        {extra("\"volume\":-1"), "negative_volume", "volume"},
        {extra("\"volume\":1e22"), "out_of_range", "volume"},
        {extra("\"source\":\"" + std::string(51, 's') + "\""), "text_too_long", "source"},
        {extra("\"source\":\"\""), "empty_text", "source"},
        {extra("\"metadata\":[]"), "wrong_type", "metadata"},
        {extra("\"metadata\":\"{}\""), "wrong_type", "metadata"},
        {extra("\"metadata\":{\"n\":" + digits(401) + "}"), "number_too_long", "metadata"},
        {extra("\"metadata\":{\"n\":1e401}"), "number_too_long", "metadata"},
        {extra(R"("metadata":{"a":1,"\u0061":2})"), "duplicate_key", "metadata"},
        {extra(R"("metadata":{"b":[{"a":1,"a":1}]})"), "duplicate_key", "metadata"},
        {extra(R"("metadata":{"a":1},"a":2)"), "duplicate_key", "metadata"},
        {extra(R"("other":1,"other":1)"), "duplicate_key", "metadata"},
        {extra("\"bid\":1"), "duplicate_key", "bid"},
        {extra(R"("type":"tick")"), "duplicate_key", "type"},
        {extra("\"seq\":0"), "seq_invalid", "seq"},
        {extra("\"seq\":1.5"), "seq_invalid", "seq"},
        {extra("\"seq\":9223372036854775808"), "seq_invalid", "seq"},
        {extra("\"seq\":\"1\""), "seq_invalid", "seq"},
        {extra("\"tenant\":\"0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00\""), "tenant_not_allowed",
         "tenant"},
        {R"({"type":"activity","action_payload":1})", "missing_field", "action_type"},
        {R"({"action_type":"t"})", "missing_field", "action_payload"},
        {R"({"action_type":"","action_payload":1})", "empty_text", "action_type"},
        {event("\"user_id\":\"not a uuid\""), "uuid_invalid", "user_id"},
        {event("\"session_id\":\"d67691f63ead5baa8c39f82881d24619\""), "uuid_invalid",
         "session_id"},
        {event("\"agent_id\":\"" + std::string(101, 'a') + "\""), "text_too_long", "agent_id"},
        {R"({"action_type":"t","action_payload":{"a":"\u0000"}})", "nul_character",
         "action_payload"},
        {R"({"action_type":"t","action_payload":["\udc00"]})", "lone_surrogate", "action_payload"},
        {R"({"action_type":"t","action_payload":{"a":1,"a":1}})", "duplicate_key",
         "action_payload"},
    };
    const auto time = [&](const std::string& value, const std::string& verdict) {
        all.push_back({extra("\"time\":" + value), verdict, "time"});
        all.push_back({event("\"timestamp\":" + value), verdict, "timestamp"});
    };
    time("\"2016-12-31T23:59:60Z\"", "leap_second");
    time("\"2024-08-08T24:00:00Z\"", "time_invalid");
    time("\"2024-02-30T00:00:00Z\"", "time_invalid");
    time("\"2023-02-29T00:00:00Z\"", "time_invalid");
    time("\"2024-08-08T12:00:00\"", "time_invalid");  // no zone
    time("\"2024-08-08\"", "time_invalid");
    time("\"2024-08-08T12:00:00.Z\"", "time_invalid");
    time("\"2024-08-08T12:00:00+24:00\"", "time_invalid");
    time("\"0000-01-01T00:00:00Z\"", "time_invalid");
    time("\"now\"", "time_invalid");
    time("1.5", "time_invalid");
    time("1e9", "time_invalid");
    time("99999999999999999999", "time_invalid");
    time("\"9999-12-31T23:59:59Z\"", "time_too_far_ahead");
    time("4102444800000", "time_too_far_ahead");
    time("[]", "wrong_type");
    return all;
}

// Bytes that are not UTF-8, in every text that a record can have.
std::vector<bad_line> bad_utf8() {
    std::vector<bad_line> all;
    for (const std::string bytes :
         {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
        const std::string text = "\"a" + bytes + "b\"";
        for (const std::string field : {"symbol", "source", "bid", "time", "type", "tenant"}) {
            all.push_back({R"({")" + field + "\":" + text + R"(,"bid":1,"ask":1})", "not_utf8"});
        }
        for (const std::string field : {"agent_id", "action_type", "user_id", "action_payload"}) {
            all.push_back({R"({"type":"activity",")" + field + "\":" + text + "}", "not_utf8"});
        }
        all.push_back({extra("\"metadata\":{\"a\":" + text + "}"), "not_utf8"});
        all.push_back({extra("\"metadata\":{" + text + ":1}"), "not_utf8"});
        all.push_back({extra(text + ":1"), "not_utf8"});
    }
    return all;
}

// Sends every line between good ones over one connection, and looks for what became of them.
void expect_dead_letters(const std::vector<bad_line>& lines) {
    ingest_site site;
    const std::string started = one(site.sql(), "SELECT now()");
    tcp_client client(site.address());
    std::string stream = good_line(0);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        stream += lines[i].line + '\n' + good_line(i + 1);
    }
    client.send(stream);
    REQUIRE(site.await_records(2 * lines.size() + 1));

    CHECK(one(site.sql(),
              "SELECT count(DISTINCT symbol) FROM price_telemetry"
              " WHERE symbol LIKE 'good%'") == std::to_string(lines.size() + 1));
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") ==
          std::to_string(lines.size() + 1));
    CHECK(one(site.sql(), "SELECT count(*) FROM unified_activity_log") == "0");
    const text_rows dead = rows(site.sql(), R"(
        SELECT verdict, field, encode(raw, 'hex'), raw_length,
               session_id IS NOT NULL AND peer ~ '^127\.0\.0\.1:\d+$' AND listener IS NOT NULL
               AND producer IS NULL AND tenant_id IS NULL AND sqlstate IS NULL
               AND received_at BETWEEN $1::timestamptz AND now()
          FROM tickd.dead_letter ORDER BY id)",
                                {started});
    REQUIRE(dead.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        INFO(lines[i].line.substr(0, 300));
        CHECK(dead[i] == std::vector<std::string>{lines[i].verdict, lines[i].field,
                                                  hex_of(lines[i].line),
                                                  std::to_string(lines[i].line.size()), "t"});
    }
    // The connection lives.
    client.send(good_line(lines.size() + 1));
    CHECK(site.await_records(2 * lines.size() + 2));
    CHECK(one(site.sql(), "SELECT count(DISTINCT session_id) FROM tickd.dead_letter") == "1");
    CHECK(site.daemon().stop() == 0);
}

}  // namespace

TEST_CASE("lines that are no record", "[ingest_bad_input]") { expect_dead_letters(broken_lines()); }

TEST_CASE("records with a field that cannot be used", "[ingest_bad_input]") {
    expect_dead_letters(bad_fields());
}

TEST_CASE("bytes that are not UTF-8, in each field", "[ingest_bad_input]") {
    expect_dead_letters(bad_utf8());
}

TEST_CASE("lines that are too long, empty, or without an end", "[ingest_bad_input]") {
    ingest_site site;
    const std::string longest =
        extra("\"metadata\":{\"a\":\"" + std::string(1'048'000, 'x') + "\"}");
    const std::string padded = longest.substr(0, longest.size() - 3) +
                               std::string(1024 * 1024 - longest.size(), 'y') + "\"}}";
    REQUIRE(padded.size() == 1024 * 1024);
    const std::string two_mib = "{\"seq\":5,\"x\":\"" + std::string(2 * 1024 * 1024, 'z');
    const std::string one_over = padded + " ";
    tcp_client client(site.address());
    client.send("\n\r\n\n" + good_line(0) + padded + "\r\n" + two_mib + "\n" + good_line(1) +
                one_over + "\r\n\r\n" + good_line(2));
    client.send(good_line(3).substr(0, good_line(3).size() - 1));  // the stream's end ends it
    client.finish();
    REQUIRE(client.read_to_end() == "");
    tcp_client broken(site.address());
    broken.send(good_line(4) + "{\"half\":");
    REQUIRE(site.await_records(8));  // good 0 to 4, the longest, and two that are longer
    broken.reset();
    REQUIRE(site.await_records(9));

    CHECK(rows(site.sql(), "SELECT symbol FROM price_telemetry ORDER BY symbol") ==
          text_rows{{"S"}, {"good0"}, {"good1"}, {"good2"}, {"good3"}, {"good4"}});
    CHECK(
        one(site.sql(), "SELECT length(metadata->>'a') FROM price_telemetry WHERE symbol = 'S'") ==
        std::to_string(padded.size() - extra("\"metadata\":{\"a\":\"\"}").size()));
    const std::string long_hex = hex_of(two_mib.substr(0, 4096));
    CHECK(rows(site.sql(),
               "SELECT verdict, seq, encode(raw, 'hex'), raw_length FROM"
               " tickd.dead_letter ORDER BY id") ==
          text_rows{{"line_too_long", "5", long_hex, std::to_string(two_mib.size())},
                    {"line_too_long", "\\N", hex_of(one_over.substr(0, 4096)),
                     std::to_string(one_over.size())},
                    {"line_unfinished", "\\N", hex_of("{\"half\":"), "8"}});
    CHECK(site.daemon().stop() == 0);
}

// Accepted although strange: the other side of each limit.
TEST_CASE("values just within the limits are kept", "[ingest_bad_input]") {
    ingest_site site;
    const std::vector<std::string> lines{
        R"({"symbol":"日日日日日日日日日日日日日日日日日日日日","bid":1,"ask":1})",
        price("-0"),
        price("1E5"),
        price("0.1"),
        price("999999999999.99999999"),
        price("0"),
        extra("\"metadata\":{\"n\":" + digits(400) + "}"),
        extra("\"metadata\":{\"n\":1e400,\"m\":1e-400}"),
        extra("\"source\":\"" + std::string(50, 's') + "\""),
        extra("\"seq\":9223372036854775807"),
        extra("\"time\":\"0001-01-01T00:00:00Z\""),
        price("2"),  // crossed
        "\xef\xbb\xbf" + price("1"),
        event("\"metadata\":{\"a\":" + std::string(126, '[') + std::string(126, ']') + "}"),
    };
    tcp_client client(site.address());
    for (const std::string& line : lines) client.send(line + "\r\n");
    REQUIRE(site.await_records(lines.size()));
    CHECK(rows(site.sql(), "SELECT verdict, convert_from(raw, 'UTF8') FROM tickd.dead_letter") ==
          text_rows{});
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("unknown fields are refused or ignored where that is wanted", "[ingest_bad_input]") {
    for (const std::string what : {"reject", "ignore"}) {
        INFO(what);
        ingest_site site("records:\n  unknown_fields: " + what);
        tcp_client client(site.address());
        client.send(extra("\"other\":1") + '\n' + extra("\"metadata\":{\"a\":1}") + '\n');
        REQUIRE(site.await_records(2));
        CHECK(rows(site.sql(), "SELECT metadata FROM price_telemetry ORDER BY metadata") ==
              (what == "reject" ? text_rows{{"{\"a\": 1}"}} : text_rows{{"{\"a\": 1}"}, {"\\N"}}));
        CHECK(rows(site.sql(), "SELECT verdict FROM tickd.dead_letter") ==
              (what == "reject" ? text_rows{{"unknown_field"}} : text_rows{}));
        CHECK(site.daemon().stop() == 0);
    }
}
