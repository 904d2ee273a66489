#include "ingest/activity_record.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "ingest/activity_chain.h"

using ingest::activity_chain;
using ingest::parse_activity_record;

namespace {

const std::string zeros(64, '0');
const std::string root = "48b47c98064f5bb2c08bad1e72828b8a99e7e90431295bdaaa99ed4a4d04d224";

// The published vectors of the format.
const std::string genesis =
    "ual-genesis/v1\norigin example.com/ual/test\nindex 0\nrow ual-row/v1\n"
    "time 1767323045000000\nnonce 000102030405060708090a0b0c0d0e0f\n";
const std::string segment =
    "ual-seg/v1\norigin example.com/ual/test\nindex 1\ntenant -\ntseq 1\ntprev " + zeros +
    "\nids 1 3\nroot " + root +
    "\nsrc demo/0 0 3\nwriter w1 1\ntime 1767323045678902\n"
    "nonce 101112131415161718191a1b1c1d1e1f\n";
const std::string heartbeat =
    "ual-heartbeat/v1\norigin example.com/ual/test\nindex 2\ntime 1767323105678902\n"
    "nonce 202122232425262728292a2b2c2d2e2f\n";

std::string hex_of(const ingest::sha256_digest& digest) {
    const ingest::sha256_hex hex = ingest::to_hex(digest);
    return {hex.begin(), hex.end()};
}

// A further record of rows, behind the three.
std::string rows(std::int64_t index, const std::string& tenant, std::int64_t tseq,
                 const std::string& previous, std::int64_t first, std::int64_t count) {
    return "ual-seg/v1\norigin example.com/ual/test\nindex " + std::to_string(index) + "\ntenant " +
           tenant + "\ntseq " + std::to_string(tseq) + "\ntprev " + previous + "\nids " +
           std::to_string(first) + ' ' + std::to_string(count) + "\nroot " + root +
           "\nwriter lane-0 2\ntime 1\nnonce 101112131415161718191a1b1c1d1e1f\n";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("the published records chain to the published roots", "[activity_record]") {
    activity_chain chain;
    ingest::sha256 hash;
    REQUIRE(chain.add(genesis));
    CHECK(hex_of(chain.root()) ==
          "e91e92a78131b5095e3cea17ed101f0147af3f21c30918f79552bfbae343442c");
    REQUIRE(chain.add(segment));
    CHECK(hex_of(chain.root()) ==
          "f240245f1e5693c16a37586c81542fcb95ce7dd78a122b371949e3bef36132b8");
    REQUIRE(chain.add(heartbeat));
    CHECK(hex_of(chain.root()) ==
          "4270a9017af36b00f89ff84552586494a7229a9f08c1ea6d302816cd10776341");
    CHECK(chain.origin() == "example.com/ual/test");
    CHECK(chain.size() == 3);
    CHECK(hex_of(hash.digest(genesis)) ==
          "c40145eb52fa026fbd4bb6c599315f7cef84e8c360539985825d9601086c5010");
    CHECK(hex_of(hash.digest(segment)) ==
          "d02396ec0e2b77e4ff57ef469cad810c61e37552c11f47b6ee31c3f00db1e4ac");
}

TEST_CASE("a record reads back as it was written", "[activity_record]") {
    const std::string key =
        "ual-key/v1\norigin o\nindex 7\nvkey n+00000000+AAAA\nfrom_index 8\ntime 1\n"
        "nonce 202122232425262728292a2b2c2d2e2f\n";
    const std::string several = replaced(segment, "src demo/0 0 3\n", "src a%20b 1 2\nsrc c 3 4\n");
    for (const std::string& text :
         {genesis, segment, heartbeat, key, several, replaced(segment, "src demo/0 0 3\n", ""),
          replaced(segment, "tenant -", "tenant f81d4fae-7dec-11d0-a765-00a0c91e6bf6")}) {
        const auto record = parse_activity_record(text);
        REQUIRE(record);
        CHECK(to_text(*record) == text);
    }
    CHECK(parse_activity_record(several)->sources == "src a%20b 1 2\nsrc c 3 4\n");
}

TEST_CASE("a text that is written in another way is refused", "[activity_record]") {
    std::vector<std::string> bad{
        "",
        "ual-seg/v2\n",
        segment + '\n',
        segment.substr(0, segment.size() - 1),
        replaced(segment, "index 1", "index 01"),
        replaced(segment, "index 1", "index -1"),
        replaced(segment, "index 1", "index 99999999999999999999"),
        replaced(segment, "ids 1 3", "ids 1"),
        replaced(segment, "ids 1 3", "ids 1 3 "),
        replaced(segment, "tenant -", "tenant F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
        replaced(segment, "root 48", "root 4A"),
        replaced(segment, "tseq", "seq"),
        replaced(genesis, "ual-row/v1", "ual-row/v2"),
        replaced(segment, "\n", "\r\n"),
        replaced(segment, "writer w1 1\n", "")};
    for (std::size_t cut = 0; cut < segment.size(); ++cut) bad.push_back(segment.substr(0, cut));
    for (const std::string& text : bad) {
        CAPTURE(text);
        CHECK_FALSE(parse_activity_record(text));
    }
}

TEST_CASE("a record that may not follow is refused", "[activity_record]") {
    ingest::sha256 hash;
    const std::string entry = hex_of(hash.digest(segment));
    const std::string a = "00000000-0000-0000-0000-00000000000a";
    const auto behind = [](const std::string& next) {
        activity_chain chain;
        REQUIRE(chain.add(genesis));
        REQUIRE(chain.add(segment));
        REQUIRE(chain.add(heartbeat));
        return chain.add(next).has_value();
    };
    CHECK(behind(rows(3, "-", 2, entry, 4, 1)));
    CHECK(behind(rows(3, "00000000-0000-0000-0000-000000000000", 2, entry, 4, 1)));
    CHECK(behind(rows(3, a, 1, zeros, 100, 5)));
    CHECK_FALSE(behind(rows(4, "-", 2, entry, 4, 1)));  // an index is missing
    CHECK_FALSE(behind(rows(3, "-", 3, entry, 4, 1)));  // one of the tenant's is
    CHECK_FALSE(behind(rows(3, "-", 2, zeros, 4, 1)));  // another before it
    CHECK_FALSE(behind(rows(3, a, 2, entry, 4, 1)));    // of another tenant
    CHECK_FALSE(behind(rows(3, "-", 2, entry, 3, 1)));  // an id twice
    CHECK_FALSE(behind(rows(3, a, 1, zeros, 1, 1)));
    CHECK_FALSE(behind(rows(3, "-", 2, entry, 4, 0)));
    CHECK_FALSE(behind(genesis));
    CHECK_FALSE(behind(replaced(heartbeat, "index 2", "index 2")));
    CHECK_FALSE(behind(replaced(replaced(heartbeat, "index 2", "index 3"), "ual/test", "ual/x")));
    CHECK_FALSE(activity_chain().add(segment).has_value());
}

TEST_CASE("ids of any order are kept apart", "[activity_record]") {
    activity_chain chain;
    ingest::sha256 hash;
    REQUIRE(chain.add(genesis));
    std::string previous = zeros;
    std::int64_t index = 1;
    const auto add = [&](std::int64_t first, std::int64_t count) {
        const std::string text = rows(index, "-", index, previous, first, count);
        if (!chain.add(text)) return false;
        previous = hex_of(hash.digest(text));
        ++index;
        return true;
    };
    REQUIRE(add(100, 10));
    REQUIRE(add(50, 10));
    REQUIRE(add(60, 40));  // joins both
    REQUIRE(add(1, 49));
    REQUIRE(add(110, 1));
    CHECK_FALSE(add(110, 1));
}
