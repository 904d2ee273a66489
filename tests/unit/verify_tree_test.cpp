// RFC 6962 trees of the verifier: the vectors of the RFC's test data, our own of
// tests/vectors/log_trees.py, and proofs with everything about them broken in turn.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <string>
#include <vector>

#include "tests/support/tsv.h"
#include "verify/encoding.h"
#include "verify/merkle_tree.h"

using namespace verify;

namespace {

const std::vector<std::string> leaf_inputs{"",
                                           "00",
                                           "10",
                                           "2021",
                                           "3031",
                                           "40414243",
                                           "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> leaf_hashes{
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1"};
const std::vector<std::string> heads{
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
constexpr const char* nodes_2_4 =
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
constexpr const char* nodes_4_6 =
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
constexpr const char* nodes_6_8 =
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
constexpr const char* nodes_4_8 =
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

digest hash_of(const std::string& hex) { return digest_from_hex(hex).value(); }

std::vector<digest> path_of(const std::vector<std::string>& hexes) {
    std::vector<digest> path;
    for (const std::string& hex : hexes) path.push_back(hash_of(hex));
    return path;
}

std::vector<digest> published_leaves(hasher& sha) {
    std::vector<digest> leaves;
    for (const std::string& hex : leaf_inputs)
        leaves.push_back(sha.leaf(tickd::test::from_hex(hex)));
    return leaves;
}

// Leaf i is the byte i.
std::vector<digest> counted_leaves(hasher& sha, std::size_t count) {
    std::vector<digest> leaves;
    for (std::size_t i = 0; i < count; ++i) {
        leaves.push_back(sha.leaf(std::string(1, static_cast<char>(i))));
    }
    return leaves;
}

// Every path that differs a little from this one.
std::vector<std::vector<digest>> damaged(const std::vector<digest>& path, const digest& root) {
    std::vector<std::vector<digest>> all;
    for (std::size_t i = 0; i < path.size(); ++i) {
        auto flipped = path, removed = path, doubled = path;
        flipped[i][i % 32] ^= 1U;
        removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
        doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), path[i]);
        all.insert(all.end(), {flipped, removed, doubled});
    }
    for (const digest& garbage : {digest{}, root}) {
        auto behind = path, before = path;
        behind.push_back(garbage);
        before.insert(before.begin(), garbage);
        all.insert(all.end(), {behind, before});
    }
    return all;
}

}  // namespace

TEST_CASE("leaves, nodes and heads of RFC 6962's test data") {
    hasher sha;
    const auto leaves = published_leaves(sha);
    CHECK(leaves == path_of(leaf_hashes));
    growing_tree tree;
    for (std::size_t size = 0; size <= 8; ++size) {
        INFO(size);
        CHECK(to_hex(tree_root(sha, std::span(leaves).first(size))) == heads[size]);
        CHECK(to_hex(tree.root(sha)) == heads[size]);
        if (size < 8) tree.append(sha, leaves[size]);
    }
    CHECK(to_hex(sha.leaf("L123456")) ==
          "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    CHECK(to_hex(sha.of("\x01N123N456")) ==
          "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
}

TEST_CASE("inclusion and consistency paths of RFC 6962's test data") {
    hasher sha;
    const auto leaves = published_leaves(sha);
    const std::span all(leaves);
    CHECK(inclusion_path(sha, all, 0) == path_of({leaf_hashes[1], nodes_2_4, nodes_4_8}));
    CHECK(inclusion_path(sha, all, 5) == path_of({leaf_hashes[4], nodes_6_8, heads[4]}));
    CHECK(inclusion_path(sha, all.first(3), 2) == path_of({heads[2]}));
    CHECK(inclusion_path(sha, all.first(5), 1) ==
          path_of({leaf_hashes[0], nodes_2_4, leaf_hashes[4]}));
    CHECK(consistency_path(sha, all, 1) == path_of({leaf_hashes[1], nodes_2_4, nodes_4_8}));
    CHECK(consistency_path(sha, all, 6) == path_of({nodes_4_6, nodes_6_8, heads[4]}));
    CHECK(consistency_path(sha, all.first(5), 2) == path_of({nodes_2_4, leaf_hashes[4]}));
    CHECK(consistency_path(sha, all.first(7), 6) == path_of({nodes_4_6, leaf_hashes[6], heads[4]}));
    CHECK(consistency_path(sha, all.first(1), 1).empty());
}

TEST_CASE("roots of 131 sizes are those of another implementation") {
    hasher sha;
    const auto leaves = counted_leaves(sha, 130);
    const auto vectors = tickd::test::read_vectors("log_trees.tsv");
    REQUIRE(vectors.size() == 131);
    for (std::size_t size = 0; size < vectors.size(); ++size) {
        CHECK(to_hex(tree_root(sha, std::span(leaves).first(size))) == vectors[size][1].value());
    }
}

TEST_CASE("every inclusion path holds, and no damaged one") {
    hasher sha;
    const auto leaves = counted_leaves(sha, 40);
    for (std::size_t size = 1; size <= leaves.size(); ++size) {
        const std::span tree = std::span(leaves).first(size);
        const digest root = tree_root(sha, tree);
        for (std::size_t place = 0; place < size; ++place) {
            INFO(place << " of " << size);
            const auto path = inclusion_path(sha, tree, place);
            CHECK(includes(sha, root, size, leaves[place], place, path));
            const std::array<std::size_t, 3> others{place + 1, place - 1, place ^ 2U};
            for (const std::size_t other : others) {
                CHECK_FALSE(includes(sha, root, size, leaves[place], other, path));
            }
            CHECK_FALSE(includes(sha, root, size * 2, leaves[place], place, path));
            if (size > 1) CHECK_FALSE(includes(sha, root, size / 2, leaves[place], place, path));
            CHECK_FALSE(includes(sha, sha.of({}), size, leaves[place], place, path));
            if (size > 1) CHECK_FALSE(includes(sha, root, size, root, place, path));
            for (const auto& wrong : damaged(path, root)) {
                CHECK_FALSE(includes(sha, root, size, leaves[place], place, wrong));
            }
        }
    }
    CHECK_FALSE(includes(sha, sha.of({}), 0, sha.of({}), 0, {}));
}

TEST_CASE("every consistency path holds, and no damaged one") {
    hasher sha;
    const auto leaves = counted_leaves(sha, 40);
    for (std::size_t size = 1; size <= leaves.size(); ++size) {
        const tree_head newer{size, tree_root(sha, std::span(leaves).first(size))};
        for (std::size_t old = 1; old <= size; ++old) {
            INFO(old << " to " << size);
            const tree_head older{old, tree_root(sha, std::span(leaves).first(old))};
            const auto path = consistency_path(sha, std::span(leaves).first(size), old);
            CHECK(continues(sha, older, newer, path));
            for (const auto& wrong : damaged(path, newer.root)) {
                CHECK_FALSE(continues(sha, older, newer, wrong));
            }
            CHECK_FALSE(continues(sha, {old, digest{}}, newer, path));
            CHECK_FALSE(continues(sha, older, {size, digest{}}, path));
            if (old == size) continue;
            CHECK_FALSE(continues(sha, newer, older, path));
            CHECK_FALSE(continues(sha, {old, newer.root}, {size, older.root}, path));
            CHECK_FALSE(continues(sha, {old + 1, older.root}, newer, path));
            CHECK_FALSE(continues(sha, older, {size * 2, newer.root}, path));
        }
        CHECK(continues(sha, {0, sha.of({})}, newer, {}));
        CHECK_FALSE(continues(sha, {0, sha.of({})}, newer, std::vector{newer.root}));
    }
}
