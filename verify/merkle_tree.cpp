#include "verify/merkle_tree.h"

#include <bit>

namespace verify {

namespace {

// The largest power of two below n, n > 1: where RFC 6962 splits n leaves.
std::size_t split_of(std::size_t n) { return std::bit_floor(n - 1); }

// SUBPROOF of RFC 6962. `whole`: the old tree is the complete left part, whose root is known.
void add_consistency(hasher& sha, std::span<const digest> leaves, std::size_t old_size, bool whole,
                     std::vector<digest>& path) {
    if (old_size == leaves.size()) {
        if (!whole) path.push_back(tree_root(sha, leaves));
        return;
    }
    const std::size_t split = split_of(leaves.size());
    if (old_size <= split) {
        add_consistency(sha, leaves.first(split), old_size, whole, path);
        path.push_back(tree_root(sha, leaves.subspan(split)));
    } else {
        add_consistency(sha, leaves.subspan(split), old_size - split, false, path);
        path.push_back(tree_root(sha, leaves.first(split)));
    }
}

}  // namespace

void growing_tree::append(hasher& sha, const digest& leaf) {
    digest carried = leaf;
    // As adding one to a binary number: each trailing one bit of the size is a subtree that the
    // new one completes.
    for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
        carried = sha.node(subtrees_.back(), carried);
        subtrees_.pop_back();
    }
    subtrees_.push_back(carried);
    ++size_;
}

void growing_tree::clear() noexcept {
    size_ = 0;
    subtrees_.clear();
}

digest growing_tree::root(hasher& sha) const {
    if (subtrees_.empty()) return sha.of({});
    digest root = subtrees_.back();
    for (std::size_t i = subtrees_.size() - 1; i-- > 0;) root = sha.node(subtrees_[i], root);
    return root;
}

digest tree_root(hasher& sha, std::span<const digest> leaves) {
    growing_tree tree;
    for (const digest& leaf : leaves) tree.append(sha, leaf);
    return tree.root(sha);
}

std::vector<digest> inclusion_path(hasher& sha, std::span<const digest> leaves, std::size_t place) {
    if (leaves.size() <= 1) return {};
    const std::size_t split = split_of(leaves.size());
    const bool left = place < split;
    std::vector<digest> path = left ? inclusion_path(sha, leaves.first(split), place)
                                    : inclusion_path(sha, leaves.subspan(split), place - split);
    path.push_back(tree_root(sha, left ? leaves.subspan(split) : leaves.first(split)));
    return path;
}

std::vector<digest> consistency_path(hasher& sha, std::span<const digest> leaves,
                                     std::size_t old_size) {
    std::vector<digest> path;
    add_consistency(sha, leaves, old_size, true, path);
    return path;
}

bool includes(hasher& sha, const digest& root, std::uint64_t size, const digest& leaf,
              std::uint64_t place, std::span<const digest> path) {
    if (place >= size) return false;
    std::uint64_t at = place, last = size - 1;  // the leaf, and the rightmost one, at each level
    digest computed = leaf;
    for (const digest& sibling : path) {
        if (last == 0) return false;
        if ((at & 1U) != 0 || at == last) {
            computed = sha.node(sibling, computed);
            // A node without a right neighbour is carried upwards as it is.
            while ((at & 1U) == 0 && at != 0) {
                at >>= 1U;
                last >>= 1U;
            }
        } else {
            computed = sha.node(computed, sibling);
        }
        at >>= 1U;
        last >>= 1U;
    }
    return last == 0 && computed == root;
}

bool continues(hasher& sha, const tree_head& older, const tree_head& newer,
               std::span<const digest> path) {
    if (older.size > newer.size) return false;
    if (older.size == newer.size) return path.empty() && older.root == newer.root;
    if (older.size == 0) return path.empty() && older.root == sha.of({});
    std::uint64_t at = older.size - 1, last = newer.size - 1;
    while ((at & 1U) != 0) {
        at >>= 1U;
        last >>= 1U;
    }
    // A complete old tree is a subtree of the new one, and its root is not repeated in the path.
    const bool complete = std::has_single_bit(older.size);
    if (!complete && path.empty()) return false;
    digest old_root = complete ? older.root : path.front();
    digest new_root = old_root;
    for (const digest& sibling : complete ? path : path.subspan(1)) {
        if (last == 0) return false;
        if ((at & 1U) != 0 || at == last) {
            old_root = sha.node(sibling, old_root);
            new_root = sha.node(sibling, new_root);
            while ((at & 1U) == 0 && at != 0) {
                at >>= 1U;
                last >>= 1U;
            }
        } else {
            new_root = sha.node(new_root, sibling);
        }
        at >>= 1U;
        last >>= 1U;
    }
    return last == 0 && old_root == older.root && new_root == newer.root;
}

}  // namespace verify
