// The Merkle tree of RFC 6962, grown leaf by leaf: only the roots of its perfect subtrees are kept.
//
// leaf = SHA256(0x00 || entry), node = SHA256(0x01 || left || right). Entries are 32 bytes here: a
// row's hash, or the hash of a record of the activity log.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/sha256.h"

namespace ingest {

[[nodiscard]] sha256_digest merkle_leaf(std::string_view entry, sha256& hash);
[[nodiscard]] sha256_digest merkle_node(const sha256_digest& left, const sha256_digest& right,
                                        sha256& hash);

class merkle_tree {
public:
    // One more leaf at the right: one node on average.
    void add(std::string_view entry, sha256& hash);
    void add(const sha256_digest& entry, sha256& hash);
    void clear() noexcept;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    // SHA-256 of nothing for an empty tree, as the RFC has it.
    [[nodiscard]] sha256_digest root(sha256& hash) const;

private:
    std::vector<sha256_digest> frontier_;  // from left, the largest, to right
    std::uint64_t size_ = 0;
};

}  // namespace ingest
