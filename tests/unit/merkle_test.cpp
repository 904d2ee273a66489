#include "ingest/merkle.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/tsv.h"

using tickd::test::from_hex;

namespace {

std::string hex_of(const ingest::sha256_digest& digest) {
    const ingest::sha256_hex hex = ingest::to_hex(digest);
    return {hex.begin(), hex.end()};
}

ingest::sha256_digest digest_of(const std::string& hex) {
    const std::string bytes = from_hex(hex);
    ingest::sha256_digest digest;
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
}

struct step {
    const char* entry;  // in hex, of any length
    const char* leaf;
    const char* root;  // of the tree that ends in it
};

// transparency-dev/merkle, testonly/constants.go.
constexpr std::array reference{
    step{"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    step{"00", "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    step{"10", "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    step{"2021", "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    step{"3031", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    step{"40414243", "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    step{"5051525354555657", "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    step{"606162636465666768696a6b6c6d6e6f",
         "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

}  // namespace

TEST_CASE("leaves, nodes and roots are those of RFC 6962's reference", "[merkle]") {
    ingest::sha256 hash;
    ingest::merkle_tree tree;
    CHECK(hex_of(tree.root(hash)) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (const step& next : reference) {
        CHECK(hex_of(ingest::merkle_leaf(from_hex(next.entry), hash)) == next.leaf);
        tree.add(from_hex(next.entry), hash);
        CHECK(hex_of(tree.root(hash)) == next.root);
    }
    CHECK(tree.size() == 8);
    CHECK(hex_of(ingest::merkle_leaf("L123456", hash)) ==
          "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    // Inner nodes of the tree above.
    CHECK(hex_of(ingest::merkle_node(digest_of(reference[2].leaf), digest_of(reference[3].leaf),
                                     hash)) ==
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
    CHECK(hex_of(ingest::merkle_node(digest_of(reference[6].leaf), digest_of(reference[7].leaf),
                                     hash)) ==
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
}

TEST_CASE("roots of 0 to 256 leaves are what the RFC's recursion gives", "[merkle]") {
    ingest::sha256 hash;
    ingest::merkle_tree tree;
    for (int round = 0; round < 2; ++round) {
        tree.clear();
        for (const auto& cells : tickd::test::read_vectors("activity_tree.tsv")) {
            CAPTURE(*cells[0], round);
            REQUIRE(tree.size() == std::stoull(*cells[0]));
            REQUIRE(hex_of(tree.root(hash)) == *cells[1]);
            const auto byte = static_cast<char>(tree.size());
            tree.add(hash.digest(std::string_view(&byte, 1)), hash);
        }
    }
}
