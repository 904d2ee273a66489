#include "ingest/session_messages.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

using namespace ingest;

namespace {

template <typename Message>
Message read_as(std::string_view line) {
    const auto message = parse_daemon_message(line);
    REQUIRE(message);
    REQUIRE(std::holds_alternative<Message>(*message));
    return std::get<Message>(*message);
}

}  // namespace

TEST_CASE("each message is one line, as the protocol's page has it") {
    byte_buffer out;
    append_welcome("feed-a", 12345, ack_level::committed, 1048576, out);
    append_ack(std::numeric_limits<std::int64_t>::max(), out);
    append_reject(7, verdict::too_precise, "bid has more than 8 decimals", out);
    append_reject(0, verdict::not_json, "", out);
    append_error(session_error::bad_hello, "say \"please\"\n", out);
    append_drain(out);
    CHECK(out.view() == R"({"type":"welcome","version":1,"producer":"feed-a","resume_after":12345,)"
                        R"("ack":"committed","max_line_bytes":1048576})"
                        "\n"
                        R"({"type":"ack","seq":9223372036854775807})"
                        "\n"
                        R"({"type":"reject","seq":7,"verdict":"too_precise",)"
                        R"("detail":"bid has more than 8 decimals"})"
                        "\n"
                        R"({"type":"reject","seq":null,"verdict":"not_json","detail":""})"
                        "\n"
                        R"({"type":"error","code":"bad_hello","detail":"say \"please\"\n"})"
                        "\n"
                        R"({"type":"drain"})"
                        "\n");
}

TEST_CASE("what the daemon writes, the client reads") {
    byte_buffer out;
    append_welcome("p \"1\"", 0, ack_level::spooled, 4096, out);
    const auto welcome = read_as<welcome_message>(out.view());
    CHECK(welcome.version == wire_version);
    CHECK(welcome.producer == "p \"1\"");
    CHECK(welcome.resume_after == 0);
    CHECK(welcome.ack == ack_level::spooled);
    CHECK(welcome.line_bytes_max == 4096);

    out.clear();
    append_ack(42, out);
    CHECK(read_as<ack_message>(out.view()).seq == 42);

    for (const std::uint64_t seq : {0U, 9U}) {
        out.clear();
        append_reject(seq, verdict::not_utf8, "d\u00e9tail", out);
        const auto reject = read_as<reject_message>(out.view());
        CHECK(reject.seq == seq);
        CHECK(verdict_from(reject.verdict) == verdict::not_utf8);
        CHECK(reject.detail == "d\u00e9tail");
    }

    out.clear();
    append_drain(out);
    (void)read_as<drain_message>(out.view());
}

TEST_CASE("every error code has a word that leads back to it") {
    for (std::uint8_t i = 0; i < session_error_count; ++i) {
        const auto code = static_cast<session_error>(i);
        byte_buffer out;
        append_error(code, "why", out);
        const auto error = read_as<error_message>(out.view());
        CHECK(session_error_from(error.code) == code);
        CHECK(error.detail == "why");
    }
    CHECK_FALSE(session_error_from("unheard_of"));
}

TEST_CASE("a client bears with what a newer daemon says, and with nothing else") {
    CHECK(read_as<ack_message>(R"({"type":"ack","lag_ms":3,"seq":5})").seq == 5);
    CHECK(read_as<unknown_message>(R"({"type":"slow_down","rate":100})").type == "slow_down");
    CHECK(read_as<error_message>(R"({"type":"error","code":"new_code"})").code == "new_code");
    CHECK(read_as<reject_message>(R"({"type":"reject","seq":1,"verdict":"new"})").verdict == "new");
    for (const std::string_view broken :
         {"", "ack", "[]", "{}", R"({"type":1})", R"({"type":"ack"})", R"({"type":"ack","seq":-1})",
          R"({"type":"ack","seq":"1"})", R"({"type":"ack","seq":1}})", R"({"type":"error"})",
          R"({"type":"reject","seq":1})", R"({"type":"reject","verdict":"not_json"})",
          R"({"type":"reject","seq":"x","verdict":"not_json"})",
          R"({"type":"welcome","version":1,"producer":"p","resume_after":1,"max_line_bytes":1})",
          R"({"type":"welcome","version":1,"producer":"p","ack":"often","resume_after":1,)"
          R"("max_line_bytes":1})"}) {
        INFO(broken);
        CHECK_FALSE(parse_daemon_message(broken));
    }
}
