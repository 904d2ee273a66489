// SHA-256 of a few bytes at a time, by a context that is set up once.
#pragma once

#include <array>
#include <memory>
#include <string_view>

namespace ingest {

using sha256_digest = std::array<unsigned char, 32>;
using sha256_hex = std::array<char, 64>;

// Lower case.
[[nodiscard]] sha256_hex to_hex(const sha256_digest& digest) noexcept;

// One thread at a time.
class sha256 {
public:
    // Fetches the digest once: an implicit fetch per digest costs a locked look-up
    // (openssl/openssl #19612). Throws std::runtime_error when libcrypto has no SHA-256.
    sha256();
    ~sha256();
    sha256(const sha256&) = delete;
    sha256& operator=(const sha256&) = delete;

    // Of the parts one behind the other.
    [[nodiscard]] sha256_digest digest(std::string_view a, std::string_view b = {},
                                       std::string_view c = {});

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace ingest
