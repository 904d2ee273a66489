#include "verify/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace verify {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view row_tag = "ual-row/v1\n\x00\x0a"sv;  // the count of fields is in it

struct md_free {
    void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};
struct context_free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct hasher::state {
    std::unique_ptr<EVP_MD, md_free> md{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    std::unique_ptr<EVP_MD_CTX, context_free> context{EVP_MD_CTX_new()};
};

hasher::hasher() : state_(std::make_unique<state>()) {
    if (!state_->md || !state_->context ||
        EVP_DigestInit_ex2(state_->context.get(), state_->md.get(), nullptr) != 1) {
        throw std::runtime_error("libcrypto offers no SHA-256");
    }
}

hasher::~hasher() = default;

digest hasher::of(std::string_view first, std::string_view second) {
    EVP_MD_CTX* const context = state_->context.get();
    digest result;
    // Without a new algorithm the context starts over with the one it was set up with: no look-up
    // per digest, and nothing here allocates.
    const bool done = EVP_DigestInit_ex2(context, nullptr, nullptr) == 1 &&
                      EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
                      EVP_DigestUpdate(context, second.data(), second.size()) == 1 &&
                      EVP_DigestFinal_ex(context, result.data(), nullptr) == 1;
    if (!done) throw std::runtime_error("libcrypto could not compute a SHA-256");
    return result;
}

digest hasher::of(std::string_view bytes) { return of(bytes, {}); }

digest hasher::row(std::string_view ten_fields) { return of(row_tag, ten_fields); }

digest hasher::leaf(const digest& held) { return leaf(bytes_of(held)); }

digest hasher::leaf(std::string_view entry) { return of("\x00"sv, entry); }

digest hasher::node(const digest& left, const digest& right) {
    std::array<char, 65> bytes;
    bytes[0] = 1;
    std::ranges::copy(left, bytes.begin() + 1);
    std::ranges::copy(right, bytes.begin() + 33);
    return of({bytes.data(), bytes.size()}, {});
}

}  // namespace verify
