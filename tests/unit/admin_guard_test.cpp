// Who may look: by secret, by where the server is reached from, by the name it is asked under.
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>

#include "daemon/admin/admin_guard.h"
#include "daemon/admin/candle_desk.h"
#include "tests/unit/temporary_folder.h"

namespace {

using namespace tickd;
using verdict = admin_guard::verdict;

const std::string good = "0123456789abcdef";
constexpr auto everywhere = {admin_reach::socket_file, admin_reach::loopback, admin_reach::network};

TEST_CASE("with a secret whoever shows it is let in, wherever from", "[admin]") {
    const admin_guard guard(hash_of_token(good));
    for (const admin_reach reach : everywhere) {
        CHECK(guard.judge(reach, "Bearer " + good, "tickd.example") == verdict::welcome);
        CHECK(guard.judge(reach, "bearer " + good, "") == verdict::welcome);
        for (const std::string& wrong :
             {std::string(), std::string("Bearer"), std::string("Bearer "), good, "Basic " + good,
              "Bearer " + good + "0", "Bearer " + good.substr(1), "Bearer  " + good}) {
            INFO(wrong);
            CHECK(guard.judge(reach, wrong, "localhost") == verdict::unknown);
        }
    }
}

TEST_CASE("without one this machine alone is", "[admin]") {
    const admin_guard guard;
    CHECK(guard.judge(admin_reach::network, "", "127.0.0.1:9464") == verdict::closed);
    CHECK(guard.judge(admin_reach::network, "Bearer " + good, "") == verdict::closed);
    CHECK(guard.judge(admin_reach::socket_file, "", "anything") == verdict::welcome);
    CHECK(guard.judge(admin_reach::loopback, "", "") == verdict::welcome);
}

TEST_CASE("a browser that another domain led here is not answered", "[admin]") {
    for (const char* const own :
         {"", "localhost", "LocalHost:9464", "127.0.0.1", "127.0.0.1:9464", "[::1]:9464"}) {
        INFO(own);
        CHECK(admin_guard().judge(admin_reach::loopback, "", own) == verdict::welcome);
    }
    for (const char* const foreign : {"evil.example", "evil.example:9464", "localhost.evil.example",
                                      "127.0.0.1.evil.example", "a", "tickd:80"}) {
        INFO(foreign);
        CHECK(admin_guard().judge(admin_reach::loopback, "", foreign) == verdict::foreign_name);
    }
}

TEST_CASE("a secret's file holds one line that a header can carry", "[admin]") {
    const tests::temporary_folder folder;
    const auto holding = [&](const std::string& content) {
        return read_admin_secret(folder.file("secret", content));
    };
    CHECK(read_admin_secret("").value() == std::nullopt);
    CHECK(holding(good).value() == hash_of_token(good));
    CHECK(holding(good + "\n").value() == hash_of_token(good));
    for (const std::string& bad :
         {std::string(), std::string("\n"), std::string("short"), good + "\n" + good,
          good + " with spaces", good + "\x01", std::string(2000, 'x')}) {
        INFO(bad);
        CHECK_FALSE(holding(bad).has_value());
    }
    CHECK_FALSE(read_admin_secret(folder.path() / "nowhere").has_value());
    CHECK_FALSE(read_admin_secret(folder.path()).has_value());
}

TEST_CASE("a question for candles is read from a query", "[admin]") {
    const auto plain = parse_candle_question("").value();
    CHECK(plain.symbol.empty());
    CHECK(plain.bucket_s == 60);
    CHECK(plain.count == 120);
    const auto full = parse_candle_question("symbol=A%2FB+%c3%A9&bucket=3600&count=7&x=1").value();
    CHECK(full.symbol == "A/B \xC3\xA9");
    CHECK(full.bucket_s == 3600);
    CHECK(full.count == 7);
    for (const char* const bad :
         {"bucket=61", "bucket=0", "bucket=-60", "bucket=", "bucket=60x", "bucket=99999960",
          "count=0", "count=241", "symbol=%", "symbol=%4", "symbol=%zz", "symbol=%00"}) {
        INFO(bad);
        CHECK_FALSE(parse_candle_question(bad).has_value());
    }
    CHECK_FALSE(parse_candle_question("symbol=" + std::string(100, 'S')).has_value());
}

}  // namespace
