// Signed notes and checkpoints of the verifier: published examples, and texts that only look like
// notes.
#include <catch2/catch_test_macros.hpp>

#include <string>

#include "tests/support/log_signer.h"
#include "tests/support/tsv.h"
#include "verify/encoding.h"
#include "verify/signed_note.h"

using namespace verify;
using tickd::test::log_signer;

namespace {

const std::string root_of_15 = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=";

std::string checkpoint_text(const std::string& size = "3", const std::string& root = root_of_15) {
    return "log\n" + size + '\n' + root + '\n';
}

}  // namespace

TEST_CASE("the example of C2SP's signed-note verifies") {
    hasher sha;
    const auto key = parse_verifier_key(
        sha, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    REQUIRE(key);
    const auto note = parse_note(
        "This is an example message.\n\n\u2014 example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQ"
        "M="
        "\n");
    REQUIRE(note);
    CHECK(check_signature(*note, *key) == signature_state::good);
    auto other = *note;
    other.text[0] = 't';
    CHECK(check_signature(other, *key) == signature_state::bad);
}

TEST_CASE("a checkpoint of tessera's test log verifies") {
    hasher sha;
    const auto key = parse_verifier_key(
        sha, "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
    REQUIRE(key);
    const auto note = parse_checkpoint(
        "example.com/log/testdata\n15\n" + root_of_15 +
        "\n\n\u2014 example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+"
        "CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n");
    REQUIRE(note);
    CHECK(check_signature(note->note, *key) == signature_state::good);
    const char* const words[] = {"one",    "two",   "three",    "four",    "five",
                                 "six",    "seven", "eit",      "nain",    "ten",
                                 "ileven", "twelf", "threeten", "fourten", "fivten"};
    growing_tree tree;
    for (const char* const word : words) {
        tree.append(sha, sha.leaf(word));
        if (tree.size() == 8) {
            CHECK(to_base64(bytes_of(tree.root(sha))) ==
                  "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=");
        }
    }
    CHECK(tree.root(sha) == note->head.root);
}

TEST_CASE("the signature of RFC 8032's first test verifies") {
    const auto key =
        tickd::test::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    std::array<std::uint8_t, 32> raw{};
    std::copy(key.begin(), key.end(), raw.begin());
    std::string signature = tickd::test::from_hex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b");
    CHECK(ed25519_verifies(raw, "", signature));
    CHECK_FALSE(ed25519_verifies(raw, "x", signature));
    signature[63] = static_cast<char>(signature[63] ^ 1);
    CHECK_FALSE(ed25519_verifies(raw, "", signature));
    CHECK_FALSE(ed25519_verifies(raw, "", signature.substr(1)));
}

TEST_CASE("the checkpoint of the format's description verifies") {
    hasher sha;
    const auto key = parse_verifier_key(
        sha, "example.com/ual/test+5f413aef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    REQUIRE(key);
    CHECK(to_text(*key) ==
          "example.com/ual/test+5f413aef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    const auto note = parse_checkpoint(
        "example.com/ual/test\n3\nQnCpAXrzawD4n/hFUlhklKcimp8IweptMCgWzRB3Y0E=\n\n"
        "\u2014 example.com/ual/test "
        "X0E67wReffCFPLBZLMwbUCZ63HI/NvxiZQafp9+zQWeg85yLGbNXGt9dbEovNKCS"
        "4m385Yc7Lujmnl9bbuuWwAG5yA8=\n");
    REQUIRE(note);
    CHECK(note->head.size == 3);
    CHECK(to_hex(note->head.root) ==
          "4270a9017af36b00f89ff84552586494a7229a9f08c1ea6d302816cd10776341");
    CHECK(check_signature(note->note, *key) == signature_state::good);
}

TEST_CASE("what is no verifier key is refused") {
    hasher sha;
    const std::string key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    REQUIRE(parse_verifier_key(sha, key));
    for (const std::string& wrong :
         {std::string(), std::string("x"), key + "=", key + "\n", "x" + key,
          std::string("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
          std::string("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")}) {
        INFO(wrong);
        CHECK_FALSE(parse_verifier_key(sha, wrong));
    }
}

TEST_CASE("what is no checkpoint is refused") {
    const log_signer signer("log", 's');
    REQUIRE(parse_checkpoint(signer.note(checkpoint_text())));
    std::string crlf = signer.note(checkpoint_text());
    for (std::size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) {
        crlf.insert(at, 1, '\r');
    }
    const std::string line = signer.signature_line(checkpoint_text());
    std::string many = checkpoint_text() + '\n';
    for (int i = 0; i < 17; ++i) many += line;
    for (const std::string& wrong :
         {std::string(), checkpoint_text(), checkpoint_text() + '\n',
          signer.note(checkpoint_text("03")), signer.note(checkpoint_text("-3")),
          signer.note(checkpoint_text("9223372036854775808")), signer.note(checkpoint_text("")),
          signer.note(checkpoint_text("3", root_of_15.substr(4))),
          signer.note(checkpoint_text("3", root_of_15 + "=")),
          signer.note(checkpoint_text() + "an extension\n"), signer.note("log\n3\n"), crlf, many,
          signer.note(checkpoint_text()) + "\n",
          signer.note(checkpoint_text()).substr(0, signer.note(checkpoint_text()).size() - 1),
          checkpoint_text() + "\n- log AAAAAAA=\n", checkpoint_text() + "\n\u2014 log AAAA\n"}) {
        INFO(wrong);
        CHECK_FALSE(parse_checkpoint(wrong));
    }
    many.resize(many.size() - line.size());
    CHECK(parse_checkpoint(many));
}

TEST_CASE("signatures of unknown keys are passed over, a wrong one of a known key is not") {
    hasher sha;
    const log_signer known("log", 's'), other("log", 'o'), stranger("witness", 'w');
    const auto key = parse_verifier_key(sha, known.vkey());
    REQUIRE(key);
    const std::string text = checkpoint_text();
    const auto state = [&](const std::string& lines) {
        return check_signature(parse_note(text + '\n' + lines).value(), *key);
    };
    const std::string good = known.signature_line(text);
    const std::string bad = known.signature_line(checkpoint_text("4"));
    CHECK(state(good) == signature_state::good);
    CHECK(state(stranger.signature_line(text) + good) == signature_state::good);
    CHECK(state(other.signature_line(text)) == signature_state::unknown);
    CHECK(state(bad) == signature_state::bad);
    CHECK(state(good + bad) == signature_state::bad);
    CHECK(state(bad + good) == signature_state::bad);
}
