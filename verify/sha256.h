// SHA-256 and the four digests of the activity log: a row's hash, a record's entry, a tree's leaf
// and a tree's inner node. Written for the verifier alone: what the writer hashes with is in
// ingest/, and a mistake there must not be repeated here.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace verify {

using digest = std::array<std::uint8_t, 32>;

// One thread at a time. Throws std::runtime_error when libcrypto offers no SHA-256.
class hasher {
public:
    hasher();
    ~hasher();
    hasher(const hasher&) = delete;
    hasher& operator=(const hasher&) = delete;

    [[nodiscard]] digest of(std::string_view bytes);
    // `ual-row/v1\n`, the count ten, and the ten fields as COPY BINARY has them behind the count.
    [[nodiscard]] digest row(std::string_view ten_fields);
    // RFC 6962: 0x00 and the 32 bytes that the tree holds at this place.
    [[nodiscard]] digest leaf(const digest& held);
    // RFC 6962, for entries of any length.
    [[nodiscard]] digest leaf(std::string_view entry);
    // RFC 6962: 0x01, left, right.
    [[nodiscard]] digest node(const digest& left, const digest& right);

private:
    struct state;
    [[nodiscard]] digest of(std::string_view first, std::string_view second);
    std::unique_ptr<state> state_;
};

[[nodiscard]] inline std::string_view bytes_of(const digest& value) noexcept {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

}  // namespace verify
