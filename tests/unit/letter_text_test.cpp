// Dead letters as they are printed.
#include <catch2/catch_test_macros.hpp>

#include <simdjson.h>

#include <sstream>
#include <string>
#include <vector>

#include "daemon/deadletter/letter_text.h"
#include "daemon/utf8.h"

using namespace tickd;
using namespace std::string_literals;

namespace {

dead_letter letter(std::string raw) {
    dead_letter made;
    made.id = 17;
    made.received_us = 1'723'161'255'000'000;  // 2024-08-08T23:54:15Z
    made.verdict = "not_json";
    made.raw_bytes = made.raw_length = static_cast<std::int64_t>(raw.size());
    made.raw = std::move(raw);
    return made;
}

}  // namespace

TEST_CASE("what could steer or deceive a terminal is escaped", "[letter_text]") {
    CHECK(visible("{\"a\":\"é 日 𝔘\"}") == "{\"a\":\"é 日 𝔘\"}");
    CHECK(visible("\x1b[2J\a\r\n\t\0\x7f"s) == "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x00\\x7f");
    CHECK(visible("\xff\xc3(\xc0\x80\xed\xa0\x80") == "\\xff\\xc3(\\xc0\\x80\\xed\\xa0\\x80");
    CHECK(visible("\xc2\x9b") == "\\u{9b}");  // CSI in one character
    CHECK(visible("a\u202e\u2066\u200b\ufeffb") == "a\\u{202e}\\u{2066}\\u{200b}\\u{feff}b");
    CHECK(visible("\U000e0041") == "\\u{e0041}");  // a tag
    for (int byte = 0; byte < 256; ++byte) {
        const std::string seen = visible(std::string(1, static_cast<char>(byte)));
        CAPTURE(byte);
        CHECK((seen.size() == 4 || (byte >= 0x20 && byte < 0x7f && seen.size() == 1)));
    }
}

TEST_CASE("a table's lines fit the columns, whatever is in them", "[letter_text]") {
    std::vector<dead_letter> letters{letter("{}"), letter(std::string(5000, 'x')),
                                     letter("日本日本日本日本日本日本日本日本日本日本日本日本"),
                                     letter(std::string(300, '\x1b'))};
    letters[1].producer = std::string(100, 'p');
    letters[1].field = "action_payload";
    letters[1].seq = 9'223'372'036'854'775'807;
    letters[2].producer = "feed-a";
    for (const std::size_t columns : {40U, 79U, 80U, 81U, 120U, 200U, 201U}) {
        std::istringstream table(letter_table(letters, columns));
        std::size_t lines = 0;
        for (std::string line; std::getline(table, line); ++lines) {
            CAPTURE(columns, line);
            REQUIRE(utf8_characters(line));
            std::size_t wide = 0;  // a CJK character is two columns
            for (const char c : line) wide += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
            for (std::size_t at = 0; (at = line.find("日", at)) != std::string::npos; ++at) ++wide;
            for (std::size_t at = 0; (at = line.find("本", at)) != std::string::npos; ++at) ++wide;
            CHECK(wide <= columns);
            CHECK(line.find('\x1b') == std::string::npos);
        }
        CHECK(lines == letters.size() + 1);
    }
    const std::string wide = letter_table(letters, 200);
    CHECK(wide.contains("2024-08-08 23:54:15"));
    CHECK(wide.contains("  feed-a "));
    CHECK(wide.contains("  {}\n"));
    CHECK(wide.contains(std::string(19, 'p') + "~"));
}

TEST_CASE("a sheet tells everything that is known", "[letter_text]") {
    dead_letter cut = letter("{\"a\"\x1b");
    CHECK(letter_sheet(cut) ==
          "id          17\nreceived    2024-08-08T23:54:15.000000Z\nverdict     not_json\n"
          "length      5 bytes\nrecord      {\"a\"\\x1b\n");
    cut.raw_length = 70'000;
    cut.field = "bid";
    cut.detail = "words\n";
    cut.sqlstate = "22003";
    cut.session_id = 4;
    cut.peer = "127.0.0.1:1";
    cut.listener = "inner";
    cut.producer = "feed-a";
    cut.tenant = "0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00";
    cut.seq = 9;
    cut.replayed_us = 1'723'161'256'000'000;
    CHECK(letter_sheet(cut) ==
          "id          17\nreceived    2024-08-08T23:54:15.000000Z\nverdict     not_json\n"
          "field       bid\ndetail      words\\x0a\nsqlstate    22003\nsession     4\n"
          "peer        127.0.0.1:1\nlistener    inner\nproducer    feed-a\n"
          "tenant      0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00\nseq         9\n"
          "replayed    2024-08-08T23:54:16.000000Z\n"
          "length      70000 bytes, of which 5 were kept\nrecord      {\"a\"\\x1b\n");
}

TEST_CASE("JSON gives every byte back", "[letter_text]") {
    for (const std::string& raw : {"{\"a\":\"\\n\xc3\xa9\"}"s, "\0\x1b\""s, "\xff\xfe"s, ""s}) {
        simdjson::dom::parser parser;
        const simdjson::padded_string json(letter_json(letter(raw)));
        const simdjson::dom::object object = parser.parse(json).get_object();
        CHECK(std::int64_t(object["id"]) == 17);
        CHECK(object["producer"].is_null());
        CHECK(std::string_view(object["received_at"]) == "2024-08-08T23:54:15.000000Z");
        CHECK_FALSE(bool(object["cut"]));
        std::string hex;
        for (const char c : raw) {
            constexpr std::string_view digits = "0123456789abcdef";
            hex += digits[static_cast<unsigned char>(c) / 16];
            hex += digits[static_cast<unsigned char>(c) % 16];
        }
        CHECK(std::string_view(object["raw_hex"]) == hex);
        if (utf8_characters(raw)) {
            CHECK(std::string_view(object["raw"]) == raw);
        } else {
            CHECK(object["raw"].is_null());
        }
    }
}
