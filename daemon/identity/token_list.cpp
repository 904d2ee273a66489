#include "daemon/identity/token_list.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <format>
#include <stdexcept>

namespace tickd {

namespace {

[[nodiscard]] bool lives(const known_token& token, std::int64_t now_us) noexcept {
    return !token.expires_us || now_us < *token.expires_us;
}

}  // namespace

std::string new_token_secret() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("libcrypto gives no random bytes");
    }
    std::string secret = "tickd_";
    for (const unsigned char byte : bytes) secret += std::format("{:02x}", byte);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return secret;
}

token_hash hash_of_token(std::string_view secret) noexcept {
    token_hash hash{};
    SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.data());
    return hash;
}

const known_token* token_list::find(std::string_view secret, std::int64_t now_us) const noexcept {
    const token_hash wanted = hash_of_token(secret);
    const known_token* found = nullptr;
    for (const known_token& each : tokens_) {
        if (CRYPTO_memcmp(each.hash.data(), wanted.data(), wanted.size()) == 0) found = &each;
    }
    return found != nullptr && lives(*found, now_us) ? found : nullptr;
}

bool token_list::is_good(const ingest::uuid& id, std::int64_t now_us) const noexcept {
    const auto known = std::ranges::find(tokens_, id, &known_token::id);
    return known != tokens_.end() && lives(*known, now_us);
}

std::optional<std::int64_t> token_list::next_expiry_us(std::int64_t now_us) const noexcept {
    std::optional<std::int64_t> next;
    for (const known_token& each : tokens_) {
        if (!each.expires_us || *each.expires_us <= now_us) continue;
        next = next ? std::min(*next, *each.expires_us) : *each.expires_us;
    }
    return next;
}

}  // namespace tickd
