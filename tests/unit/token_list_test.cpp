#include <catch2/catch_test_macros.hpp>

#include <format>
#include <set>
#include <string>

#include "daemon/identity/token_list.h"

using namespace tickd;

namespace {

known_token token(std::uint8_t number, const std::string& secret,
                  std::optional<std::int64_t> expires_us = std::nullopt) {
    known_token made;
    made.id.bytes[15] = number;
    made.hash = hash_of_token(secret);
    made.expires_us = expires_us;
    made.who.name = std::format("token {}", number);
    return made;
}

}  // namespace

TEST_CASE("secrets are long, of one form, and never the same") {
    std::set<std::string> all;
    for (int i = 0; i < 1000; ++i) {
        const std::string secret = new_token_secret();
        REQUIRE(secret.size() == 6 + 64);
        REQUIRE(secret.starts_with("tickd_"));
        REQUIRE(secret.find_first_not_of("0123456789abcdef", 6) == std::string::npos);
        all.insert(secret);
    }
    CHECK(all.size() == 1000);
}

TEST_CASE("the hash is SHA-256 of the secret as it is printed") {
    std::string hex;
    for (const auto byte : hash_of_token("abc")) hex += std::format("{:02x}", byte);
    CHECK(hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a token is found by its secret and no other") {
    const token_list list({token(1, "tickd_a"), token(2, "tickd_b"), token(3, "tickd_c")});
    REQUIRE(list.find("tickd_b", 0) != nullptr);
    CHECK(list.find("tickd_b", 0)->who.name == "token 2");
    CHECK(list.find("tickd_", 0) == nullptr);
    CHECK(list.find("", 0) == nullptr);
    CHECK(list.find("tickd_b ", 0) == nullptr);
    CHECK(token_list({}).find("", 0) == nullptr);
}

TEST_CASE("a token that has expired is neither found nor good") {
    const token_list list(
        {token(1, "tickd_a", 100), token(2, "tickd_b", 200), token(3, "tickd_c")});
    CHECK(list.find("tickd_a", 99) != nullptr);
    CHECK(list.find("tickd_a", 100) == nullptr);
    ingest::uuid id;
    id.bytes[15] = 1;
    CHECK(list.is_good(id, 99));
    CHECK_FALSE(list.is_good(id, 100));
    id.bytes[15] = 3;
    CHECK(list.is_good(id, 1'000'000));
    id.bytes[15] = 9;
    CHECK_FALSE(list.is_good(id, 0));
    CHECK(list.next_expiry_us(0) == 100);
    CHECK(list.next_expiry_us(100) == 200);
    CHECK_FALSE(list.next_expiry_us(200));
}
