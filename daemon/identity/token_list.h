// The tokens that are good, as the daemon knows them; and what a secret looks like.
//
// A secret is 256 random bits: hashing it once is enough, since nobody can try all of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/identity/credential.h"
#include "ingest/uuid.h"

namespace tickd {

using token_hash = std::array<std::uint8_t, 32>;

// `tickd_` and 64 hexadecimal digits. Throws std::runtime_error when the system gives no
// randomness.
[[nodiscard]] std::string new_token_secret();
// SHA-256 of the text as it is.
[[nodiscard]] token_hash hash_of_token(std::string_view secret) noexcept;

struct known_token {
    ingest::uuid id;
    token_hash hash{};
    std::optional<std::int64_t> expires_us;  // since 1970; nothing: never
    credential who;
};

// Made once and then only read, by any thread.
class token_list {
public:
    explicit token_list(std::vector<known_token> tokens) : tokens_(std::move(tokens)) {}

    // The token with this secret, unless it has expired; null: there is none. Looks at every one
    // and at every byte of each, so that the time it takes says nothing.
    [[nodiscard]] const known_token* find(std::string_view secret,
                                          std::int64_t now_us) const noexcept;
    // Whether a token that was found in this list or an older one is still good.
    [[nodiscard]] bool is_good(const ingest::uuid& id, std::int64_t now_us) const noexcept;
    // When the next of them expires; nothing: none does.
    [[nodiscard]] std::optional<std::int64_t> next_expiry_us(std::int64_t now_us) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return tokens_.size(); }

private:
    std::vector<known_token> tokens_;
};

}  // namespace tickd
