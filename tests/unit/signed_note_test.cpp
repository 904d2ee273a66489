#include "daemon/notary/signed_note.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/tsv.h"

using namespace tickd;
using tickd::test::from_hex;

namespace {

ed25519_bytes bytes_of(const std::string& hex) {
    const std::string bytes = from_hex(hex);
    ed25519_bytes key{};
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
}

// RFC 8032, section 7.1, test 1.
const std::string seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

note_verifier verifier(const std::string& vkey) {
    const auto parsed = parse_vkey(vkey);
    REQUIRE(parsed);
    CHECK(parsed->vkey() == vkey);
    return *parsed;
}

const std::string our_vkey =
    "example.com/ual/test+5f413aef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
const std::string our_note =
    "example.com/ual/test\n3\nQnCpAXrzawD4n/hFUlhklKcimp8IweptMCgWzRB3Y0E=\n\n"
    "— example.com/ual/test "
    "X0E67wReffCFPLBZLMwbUCZ63HI/NvxiZQafp9+zQWeg85yLGbNXGt9dbEovNKCS4m385Yc7"
    "Lujmnl9bbuuWwAG5yA8=\n";

}  // namespace

TEST_CASE("a signature is that of RFC 8032", "[signed_note]") {
    const ed25519_signature signature = ed25519_sign(bytes_of(seed), "");
    const std::string expected = from_hex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b");
    CHECK(std::string(signature.begin(), signature.end()) == expected);
    const auto key = bytes_of("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    CHECK(ed25519_verify(key, "", expected));
    CHECK_FALSE(ed25519_verify(key, "x", expected));
    CHECK_FALSE(ed25519_verify(key, "", expected.substr(1)));
}

TEST_CASE("notes of others open", "[signed_note]") {
    // The example of C2SP's signed-note.md.
    const auto text = open_note(
        "This is an example message.\n\n"
        "— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRK"
        "uwHjG1Yu72IneyaQM=\n",
        verifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"));
    REQUIRE(text);
    CHECK(*text == "This is an example message.\n");
    // transparency-dev/tessera, testdata/log.
    const auto log = open_note(
        "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n"
        "— example.com/log/testdata "
        "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP"
        "6zdkdIQzd/fmwlM/dlPWF74ewI=\n",
        verifier("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"));
    REQUIRE(log);
    CHECK(parse_checkpoint(*log)->size == 15);
}

TEST_CASE("a checkpoint is signed to the published bytes", "[signed_note]") {
    const auto signer = note_signer::make("example.com/ual/test", bytes_of(seed));
    REQUIRE(signer);
    CHECK(signer->verifier().vkey() == our_vkey);
    checkpoint head{.origin = "example.com/ual/test",
                    .size = 3,
                    .root = bytes_of("4270a9017af36b00f89ff84552586494a7229a9f08c1ea6d302816cd1077"
                                     "6341")};
    CHECK(signer->sign(to_text(head)) == our_note);
    CHECK(parse_checkpoint(open_note(our_note, signer->verifier()).value()).value() == head);
    const auto again = note_signer::parse(signer->private_text() + '\n');
    REQUIRE(again);
    CHECK(again->sign(to_text(head)) == our_note);
}

TEST_CASE("a changed note does not open", "[signed_note]") {
    const note_verifier by = verifier(our_vkey);
    REQUIRE(open_note(our_note, by));
    for (std::size_t i = 0; i < our_note.size() * 8; ++i) {
        std::string changed = our_note;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        CAPTURE(i);
        REQUIRE_FALSE(open_note(changed, by));
    }
    for (std::size_t cut = 0; cut < our_note.size(); ++cut) {
        REQUIRE_FALSE(open_note(our_note.substr(0, cut), by));
    }
    // Another's signature is passed over, whatever it is; a line that is none is not.
    CHECK(open_note(our_note + "— other AAAAAAAAAA==\n", by).has_value());
    CHECK_FALSE(open_note(our_note + "other\n", by));
}

TEST_CASE("what is no key or no checkpoint is refused", "[signed_note]") {
    for (const std::string bad :
         {"", "a", "a+b", "a+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
          "+5f413aef+AA==",
          "example.com/ual/test+5f413aef+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_vkey(bad));
        CHECK_FALSE(note_signer::parse("PRIVATE+KEY+" + bad));
    }
    const std::string head = "o\n3\nQnCpAXrzawD4n/hFUlhklKcimp8IweptMCgWzRB3Y0E=\n";
    REQUIRE(parse_checkpoint(head));
    for (const std::string& bad :
         {std::string(), head + "x\n", head.substr(0, head.size() - 1), std::string("o\n3\n"),
          "o\n03" + head.substr(3), "o\n-3" + head.substr(3),
          std::string("o\n3\nQnCpAXrzawD4n/hFUlhklKcimp8IweptMCgWzRB3Y0F=\n")}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_checkpoint(bad));
    }
    CHECK_FALSE(note_signer::make("a b", bytes_of(seed)));
    CHECK_FALSE(note_signer::make("a+b", bytes_of(seed)));
    CHECK_FALSE(note_signer::make("", bytes_of(seed)));
}
