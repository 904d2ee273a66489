#include "ingest/activity_hash.h"

#include <openssl/evp.h>

#include <array>
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

// An implicit fetch per digest costs a locked look-up (openssl/openssl #19612): the algorithm is
// fetched once, and a context that has absorbed the tag already is copied for each row.
struct activity_hasher::state {
    std::unique_ptr<EVP_MD, md_free> md{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    std::unique_ptr<EVP_MD_CTX, context_free> tagged{EVP_MD_CTX_new()};
    std::unique_ptr<EVP_MD_CTX, context_free> row{EVP_MD_CTX_new()};
};

activity_hasher::activity_hasher() : state_(std::make_unique<state>()) {
    constexpr std::array<unsigned char, 2> field_count{0, activity_row_fields};
    EVP_MD_CTX* const tagged = state_->tagged.get();
    const bool ready =
        state_->md && tagged != nullptr && state_->row &&
        EVP_DigestInit_ex2(tagged, state_->md.get(), nullptr) == 1 &&
        EVP_DigestUpdate(tagged, activity_row_tag.data(), activity_row_tag.size()) == 1 &&
        EVP_DigestUpdate(tagged, field_count.data(), field_count.size()) == 1;
    if (!ready) throw std::runtime_error("libcrypto offers no SHA-256");
}

activity_hasher::~activity_hasher() = default;

sha256_digest activity_hasher::row_hash(std::string_view fields) {
    sha256_digest digest;
    // None of these can fail once the context has been set up: they allocate nothing.
    EVP_MD_CTX_copy_ex(state_->row.get(), state_->tagged.get());
    EVP_DigestUpdate(state_->row.get(), fields.data(), fields.size());
    EVP_DigestFinal_ex(state_->row.get(), digest.data(), nullptr);
    return digest;
}

}  // namespace ingest
