// RFC 6962 trees: roots, proofs that a leaf is in a tree, proofs that a tree continues another.
// Leaves are leaf hashes. Sizes and places count from 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "verify/sha256.h"

namespace verify {

// A tree that only grows, as its right edge: the roots of its complete subtrees, the largest
// first, one for each bit of its size. It never holds more than 64 digests.
class growing_tree {
public:
    void append(hasher& sha, const digest& leaf);
    void clear() noexcept;
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] digest root(hasher& sha) const;
    [[nodiscard]] std::span<const digest> subtrees() const noexcept { return subtrees_; }

private:
    std::uint64_t size_ = 0;
    std::vector<digest> subtrees_;
};

// MTH of RFC 6962, section 2.1.
[[nodiscard]] digest tree_root(hasher& sha, std::span<const digest> leaves);

// PATH and PROOF of RFC 6962: what goes with the leaf at `place`, or with the tree of the first
// `old_size` leaves. `place` < size; 0 < `old_size` <= size.
[[nodiscard]] std::vector<digest> inclusion_path(hasher& sha, std::span<const digest> leaves,
                                                 std::size_t place);
[[nodiscard]] std::vector<digest> consistency_path(hasher& sha, std::span<const digest> leaves,
                                                   std::size_t old_size);

// Whether `leaf` is at `place` of the tree of that size and root. The path's length must fit
// exactly.
[[nodiscard]] bool includes(hasher& sha, const digest& root, std::uint64_t size, const digest& leaf,
                            std::uint64_t place, std::span<const digest> path);

struct tree_head {
    std::uint64_t size = 0;
    digest root{};
};
// Whether the newer tree begins with the older one. A tree continues the empty one without a path.
[[nodiscard]] bool continues(hasher& sha, const tree_head& older, const tree_head& newer,
                             std::span<const digest> path);

}  // namespace verify
