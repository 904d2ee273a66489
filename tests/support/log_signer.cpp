#include "tests/support/log_signer.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "verify/encoding.h"
#include "verify/sha256.h"

namespace tickd::test {

namespace {

using key_handle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

key_handle key_of(const std::string& seed) {
    key_handle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                reinterpret_cast<const unsigned char*>(seed.data()),
                                                seed.size()),
                   &EVP_PKEY_free);
    if (!key) throw std::runtime_error("no Ed25519 key");
    return key;
}

}  // namespace

log_signer::log_signer(std::string name, char seed) : name_(std::move(name)), seed_(32, seed) {
    std::array<unsigned char, 32> raw{};
    std::size_t length = raw.size();
    EVP_PKEY_get_raw_public_key(key_of(seed_).get(), raw.data(), &length);
    std::string type_key(1, '\x01');
    type_key.append(raw.begin(), raw.end());
    verify::hasher sha;
    id_ = std::string(verify::bytes_of(sha.of(name_ + '\n' + type_key)).substr(0, 4));
    vkey_ = name_ + '+' + verify::to_hex(id_) + '+' + verify::to_base64(type_key);
}

std::string log_signer::signature_line(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    const key_handle key = key_of(seed_);
    std::array<unsigned char, 64> made{};
    std::size_t length = made.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), made.data(), &length,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
        throw std::runtime_error("cannot sign");
    }
    return "\u2014 " + name_ + ' ' +
           verify::to_base64(id_ + std::string(made.begin(), made.end())) + '\n';
}

std::string log_signer::note(std::string_view text) const {
    return std::string(text) + '\n' + signature_line(text);
}

std::string log_signer::checkpoint(const std::string& size, const std::string& root) const {
    return note(name_ + '\n' + size + '\n' + root + '\n');
}

}  // namespace tickd::test
