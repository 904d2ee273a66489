#include "ingest/record_parser.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "ingest/frame_buffer.h"
#include "ingest/top_level_scan.h"
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

TEST_CASE("unknown fields go into metadata") {
    line_parser p;
    const parsed r = p.parse_padded(
        tick_with(R"(,"zone":"eu","metadata":{"m":1,"aa":2},"timestamp":5,"n\u0031":[null])"));
    REQUIRE(r.why.accepted());
    CHECK(r.out.metadata == R"({"m": 1, "aa": 2, "n1": [null], "zone": "eu", "timestamp": 5})");
    CHECK(r.out.time_us == now_us);
    const parsed event = p.parse_padded(activity_with(R"(,"symbol":null)"));
    REQUIRE(event.why.accepted());
    CHECK(event.out.metadata == R"({"symbol": null})");
    CHECK(event.out.action_payload == R"({"n": 1})");
    CHECK(p.parse_padded(R"({"action_type":"a","x":1,"action_payload":{"b":{"c":[2]}},"y":3})")
              .out.metadata == R"({"x": 1, "y": 3})");

    for (const std::string_view twice :
         {R"(,"x":1,"metadata":{"x":2})", R"(,"metadata":{"x":2},"x":1)", R"(,"x":1,"x":1)",
          R"(,"x":1,"\u0078":1)", R"(,"metadata":{"x":1,"y":2,"x":3})",
          R"(,"metadata":{"a":{"x":1,"x":1}})"}) {
        CHECK(p.parse_padded(tick_with(twice)).is(verdict::duplicate_key, "metadata"));
    }
    CHECK(p.parse_padded(tick_with(R"(,"x":{"a":[1,}})")).is(verdict::not_json));
}

TEST_CASE("ignored fields are checked and dropped") {
    line_parser p;
    p.rules.unknown = ingest::unknown_fields::ignore;
    const parsed r =
        p.parse_padded(tick_with(R"(,"x":{"deep":[1]},"metadata":{"m":1},"y":"\u0041")"));
    REQUIRE(r.why.accepted());
    CHECK(r.out.metadata == R"({"m": 1})");
    CHECK_FALSE(ingest::present(p.parse_padded(tick_with(R"(,"x":1)")).out.metadata));
    CHECK(p.parse_padded(tick_with(R"(,"x":1,"metadata":{"x":1})")).why.accepted());
    CHECK(p.verdict_of(tick_with(R"(,"x":1,"y":2,"x":3)")) == verdict::duplicate_key);
    CHECK(p.verdict_of(tick_with(R"(,"x":{"a":1,"a":2})")) == verdict::duplicate_key);
    CHECK(p.verdict_of(tick_with(R"(,"x":tru)")) == verdict::not_json);
    CHECK(p.verdict_of(tick_with(R"(,"x":"\ud800")")) == verdict::lone_surrogate);
    CHECK(p.verdict_of(tick_with(R"(,"x":"\u0000")")) == verdict::nul_character);
    CHECK(p.verdict_of(tick_with(R"(,"x":1e401)")) == verdict::number_too_long);
    p.rules.depth_max = 4;
    CHECK(p.verdict_of(tick_with(R"(,"x":[[[1]]])")) == verdict::accepted);
    CHECK(p.verdict_of(tick_with(R"(,"x":[[[[1]]]])")) == verdict::nested_too_deep);
}

TEST_CASE("unknown fields are refused where that is the rule") {
    line_parser p;
    p.rules.unknown = ingest::unknown_fields::reject;
    CHECK(p.parse_padded(tick_with(R"(,"metadata":{"x":1})")).why.accepted());
    CHECK(p.parse_padded(tick_with(R"(,"x":1)")).is(verdict::unknown_field));
    CHECK(p.parse_padded(tick_with(R"(,"timestamp":1)")).is(verdict::unknown_field, "timestamp"));
}

TEST_CASE("tenants come from the credential") {
    line_parser p;
    const std::string names_a = quoted("tenant", id_a);
    CHECK_FALSE(p.parse(tick_with("")).out.tenant);
    CHECK(p.parse(tick_with(names_a)).is(verdict::tenant_not_allowed, "tenant"));
    p.rules.tenant = uuid_of(id_b);
    CHECK(p.parse(tick_with("")).out.tenant == uuid_of(id_b));
    CHECK(p.parse(tick_with(R"(,"tenant":null)")).out.tenant == uuid_of(id_b));
    CHECK(p.parse(tick_with(quoted("tenant", id_b))).out.tenant == uuid_of(id_b));
    CHECK(p.parse(activity_with(names_a)).is(verdict::tenant_not_allowed, "tenant"));
    p.rules.tenant_from_payload = true;
    CHECK(p.parse(tick_with(names_a)).out.tenant == uuid_of(id_a));
    CHECK(p.parse(tick_with("")).out.tenant == uuid_of(id_b));
    CHECK(p.parse(tick_with(quoted("tenant", "x"))).is(verdict::uuid_invalid, "tenant"));
    CHECK(p.parse(tick_with(R"(,"tenant":1)")).is(verdict::wrong_type, "tenant"));
    CHECK(p.parse(activity_with(quoted("user_id", "x"))).is(verdict::uuid_invalid, "user_id"));
    CHECK(p.parse(activity_with(quoted("session_id", ""))).is(verdict::uuid_invalid, "session_id"));
}

TEST_CASE("sequences are integers from 1 to 2^63-1") {
    line_parser p;
    const auto seq = [&p](std::string_view token) {
        return p.parse_padded(tick_with(",\"seq\":" + std::string(token)));
    };
    CHECK(seq("1").out.seq == 1);
    CHECK(seq("9223372036854775807").out.seq == 9'223'372'036'854'775'807);
    for (const std::string_view bad : {"0", "-1", "9223372036854775808", "99999999999999999999",
                                       "1.0", "1e3", "\"5\"", "true", "[1]", "{}"}) {
        INFO(bad);
        CHECK(seq(bad).is(verdict::seq_invalid, "seq"));
        CHECK(seq(bad).out.seq == 0);
    }
    CHECK(seq("01").is(verdict::not_json));
}

TEST_CASE("a refused line keeps its sequence when it can be read for sure") {
    line_parser p;
    const auto seq_of = [&p](std::string_view line) {
        const parsed r = p.parse_padded(line);
        REQUIRE_FALSE(r.why.accepted());
        return r.out.seq;
    };
    CHECK(seq_of(R"({"type":"tick","seq":5,"symbol":""})") == 5);
    CHECK(seq_of(R"({"type":"tick","symbol":"","bid":[{"seq":1}],"seq" : 5 })") == 5);
    CHECK(seq_of(R"({"symbol":"","s\u0065q":5})") == 5);
    CHECK(seq_of(R"({"type":"what","note":"\"seq\":1,","seq":5})") == 5);
    CHECK(seq_of("{\"symbol\":\"\xff\",\"seq\":5}") == 5);
    CHECK(seq_of(R"({"seq":5,"symbol":"abc)") == 5);
    CHECK(seq_of(R"({"symbol":"","seq":5,"seq":6})") == 5);
    CHECK(seq_of(R"({"seq":5)") == 0);
    CHECK(seq_of(R"({"symbol":"","seq":5.5})") == 0);
    CHECK(seq_of(R"({"symbol":"","seq":"5"})") == 0);
    CHECK(seq_of(R"({"metadata":{"seq":5},"symbol":""})") == 0);
    CHECK(seq_of(R"([{"seq":5}])") == 0);
    CHECK(seq_of(R"({"symbol":""} "seq":5,)") == 0);
    CHECK(ingest::salvage_seq("{\"seq\":12," + std::string(4000, 'x')) == 12);
    CHECK(ingest::salvage_seq("{\"a\\") == 0);
    CHECK(ingest::salvage_seq("") == 0);
}

TEST_CASE("lines over the parser's limit are not read") {
    line_parser p(100);
    const std::string fits = tick_with("") + std::string(100 - tick_with("").size(), ' ');
    CHECK(p.parse(fits).why.accepted());
    CHECK(p.parse(fits + " ").is(verdict::line_too_long));
}

TEST_CASE("every line of the recorded feeds is accepted") {
    struct feed {
        std::string_view name;
        record_kind kind;
        std::size_t records;
    };
    const std::filesystem::path folder = std::filesystem::path(TICKD_SOURCE_DIR) / "../shared/data";
    if (!std::filesystem::exists(folder)) SKIP("the recorded feeds are not there");
    for (const feed& f : {feed{"quotes-binance-2024-08", record_kind::tick, 335'931},
                          feed{"quotes-fxcm-eurusd-2014-05", record_kind::tick, 1'144'807},
                          feed{"activity-agent-decisions", record_kind::activity, 5'308},
                          feed{"activity-host-audit", record_kind::activity, 25'993}}) {
        INFO(f.name);
        const std::string command = "gzip -dc '" + (folder / f.name).string() + ".ndjson.gz'";
        FILE* const file = popen(command.c_str(), "r");
        REQUIRE(file != nullptr);
        ingest::frame_buffer frames;
        ingest::record_parser parser(ingest::limits::line_bytes_default);
        ingest::record out;
        std::size_t accepted = 0;
        for (std::size_t bytes = 1; bytes != 0;) {
            const std::span<char> room = frames.room();
            bytes = std::fread(room.data(), 1, room.size(), file);
            frames.received(bytes);
            while (const auto line = frames.next()) {
                const ingest::refusal why =
                    parser.parse(line->line, {}, {}, 1'800'000'000'000'000, out);
                if (why.accepted() && out.kind == f.kind) ++accepted;
            }
        }
        CHECK(pclose(file) == 0);
        CHECK(accepted == f.records);
    }
}
