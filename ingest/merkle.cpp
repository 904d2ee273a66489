#include "ingest/merkle.h"

namespace ingest {

namespace {

[[nodiscard]] std::string_view bytes_of(const sha256_digest& digest) noexcept {
    // Bytes are bytes: string_view is what the hash takes.
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

constexpr std::string_view leaf_prefix("\0", 1);
constexpr std::string_view node_prefix("\1", 1);

}  // namespace

sha256_digest merkle_leaf(std::string_view entry, sha256& hash) {
    return hash.digest(leaf_prefix, entry);
}

sha256_digest merkle_node(const sha256_digest& left, const sha256_digest& right, sha256& hash) {
    return hash.digest(node_prefix, bytes_of(left), bytes_of(right));
}

void merkle_tree::add(std::string_view entry, sha256& hash) {
    sha256_digest right = merkle_leaf(entry, hash);
    // Each one bit at the low end of the size is a perfect subtree that the new one completes.
    for (std::uint64_t left = size_; (left & 1U) != 0; left >>= 1U) {
        right = merkle_node(frontier_.back(), right, hash);
        frontier_.pop_back();
    }
    frontier_.push_back(right);
    ++size_;
}

void merkle_tree::add(const sha256_digest& entry, sha256& hash) { add(bytes_of(entry), hash); }

void merkle_tree::clear() noexcept {
    frontier_.clear();
    size_ = 0;
}

sha256_digest merkle_tree::root(sha256& hash) const {
    if (frontier_.empty()) return hash.digest({});
    sha256_digest root = frontier_.back();
    for (std::size_t i = frontier_.size() - 1; i-- > 0;)
        root = merkle_node(frontier_[i], root, hash);
    return root;
}

}  // namespace ingest
