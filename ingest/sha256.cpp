#include "ingest/sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace ingest {

namespace {

struct md_free {
    void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};
struct context_free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct sha256::state {
    std::unique_ptr<EVP_MD, md_free> md{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    std::unique_ptr<EVP_MD_CTX, context_free> context{EVP_MD_CTX_new()};
};

sha256::sha256() : state_(std::make_unique<state>()) {
    const bool ready = state_->md && state_->context &&
                       EVP_DigestInit_ex2(state_->context.get(), state_->md.get(), nullptr) == 1;
    if (!ready) throw std::runtime_error("libcrypto offers no SHA-256");
}

sha256::~sha256() = default;

sha256_digest sha256::digest(std::string_view a, std::string_view b, std::string_view c) {
    sha256_digest digest;
    EVP_MD_CTX* const context = state_->context.get();
    // None of these can fail once the context has been set up: they allocate nothing.
    EVP_DigestInit_ex2(context, nullptr, nullptr);
    EVP_DigestUpdate(context, a.data(), a.size());
    if (!b.empty()) EVP_DigestUpdate(context, b.data(), b.size());
    if (!c.empty()) EVP_DigestUpdate(context, c.data(), c.size());
    EVP_DigestFinal_ex(context, digest.data(), nullptr);
    return digest;
}

sha256_hex to_hex(const sha256_digest& digest) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    sha256_hex hex;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        hex[2 * i] = digits[digest[i] >> 4U];
        hex[2 * i + 1] = digits[digest[i] & 15U];
    }
    return hex;
}

}  // namespace ingest
