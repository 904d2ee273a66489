#include "daemon/notary/signed_note.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <memory>
#include <stdexcept>

#include "daemon/utf8.h"
#include "ingest/sha256.h"

namespace tickd {

namespace {

struct free_key {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct free_context {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using key_handle = std::unique_ptr<EVP_PKEY, free_key>;
using context_handle = std::unique_ptr<EVP_MD_CTX, free_context>;

constexpr std::string_view dash = "— ";  // U+2014 and a space
constexpr char ed25519_type = 1;

template <typename Bytes>
[[nodiscard]] std::string_view view(const Bytes& bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] const unsigned char* raw(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

[[nodiscard]] key_handle private_key(const ed25519_bytes& seed) {
    key_handle key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    if (!key) throw std::runtime_error("libcrypto offers no Ed25519");
    return key;
}

[[nodiscard]] std::string key_id(const note_verifier& of) {
    const std::string typed = std::string(1, ed25519_type).append(view(of.key));
    const auto hash = ingest::sha256().digest(of.name, "\n", typed);
    return std::string(view(hash).substr(0, 4));
}

[[nodiscard]] std::string hex_of(std::string_view bytes) {
    std::string hex;
    for (const char c : bytes) hex += std::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

[[nodiscard]] bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 200 &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != '+'; });
}

struct encoded_key {
    std::string name, id;
    ed25519_bytes bytes{};
};

// `NAME+HASH+BASE64(type || key)`; the last plus of a name is before its hash.
[[nodiscard]] std::expected<encoded_key, std::string> split_key(std::string_view text) {
    const std::size_t first = text.find('+');
    if (first == std::string_view::npos) return std::unexpected("is no key");
    const std::size_t second = text.find('+', first + 1);
    if (second == std::string_view::npos) return std::unexpected("is no key");
    encoded_key key;
    key.name = text.substr(0, first);
    key.id = text.substr(first + 1, second - first - 1);
    const auto decoded = from_base64(text.substr(second + 1));
    if (!is_name(key.name) || !decoded || decoded->size() != 33) {
        return std::unexpected("is no key");
    }
    if (decoded->front() != ed25519_type) return std::unexpected("is no Ed25519 key");
    std::copy_n(raw(*decoded) + 1, 32, key.bytes.begin());
    return key;
}

}  // namespace

ed25519_signature ed25519_sign(const ed25519_bytes& seed, std::string_view message) {
    const key_handle key = private_key(seed);
    const context_handle context(EVP_MD_CTX_new());
    ed25519_signature signature{};
    std::size_t length = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &length, raw(message), message.size()) !=
            1) {
        throw std::runtime_error("libcrypto cannot sign");
    }
    return signature;
}

bool ed25519_verify(const ed25519_bytes& key, std::string_view message,
                    std::string_view signature) {
    const key_handle verifier(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const context_handle context(EVP_MD_CTX_new());
    return verifier && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, verifier.get()) == 1 &&
           EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                            message.size()) == 1;
}

std::string to_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), raw(bytes),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::expected<std::string, std::string> from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length = text.size() % 4 != 0
                           ? -1
                           : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                             raw(text), static_cast<int>(text.size()));
    if (length < 0) return std::unexpected("is no base64");
    // The decoder counts the padding's zeros as bytes.
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    if (to_base64(bytes) != text) return std::unexpected("is no base64");
    return bytes;
}

std::string note_verifier::vkey() const {
    return name + '+' + hex_of(key_id(*this)) + '+' +
           to_base64(std::string(1, ed25519_type).append(view(key)));
}

std::expected<note_verifier, std::string> parse_vkey(std::string_view text) {
    auto split = split_key(text);
    if (!split) return std::unexpected(split.error());
    note_verifier found{.name = std::move(split->name), .key = split->bytes};
    if (found.vkey() != text) return std::unexpected("is a key whose hash is another's");
    return found;
}

std::expected<note_signer, std::string> note_signer::make(std::string name,
                                                          const ed25519_bytes& seed) {
    if (!is_name(name)) {
        return std::unexpected("a key's name is 1 to 200 visible ASCII characters without '+'");
    }
    note_signer signer;
    signer.seed_ = seed;
    signer.verifier_.name = std::move(name);
    std::size_t length = signer.verifier_.key.size();
    if (EVP_PKEY_get_raw_public_key(private_key(seed).get(), signer.verifier_.key.data(),
                                    &length) != 1) {
        throw std::runtime_error("libcrypto offers no Ed25519");
    }
    return signer;
}

std::expected<note_signer, std::string> note_signer::parse(std::string_view text) {
    constexpr std::string_view prefix = "PRIVATE+KEY+";
    while (text.ends_with('\n')) text.remove_suffix(1);
    if (!text.starts_with(prefix)) return std::unexpected("is no private key");
    auto split = split_key(text.substr(prefix.size()));
    if (!split) return std::unexpected(split.error());
    auto signer = make(std::move(split->name), split->bytes);
    if (signer && signer->private_text() != text) {
        return std::unexpected("is a key whose hash is another's");
    }
    return signer;
}

std::string note_signer::private_text() const {
    return "PRIVATE+KEY+" + verifier_.name + '+' + hex_of(key_id(verifier_)) + '+' +
           to_base64(std::string(1, ed25519_type).append(view(seed_)));
}

std::string note_signer::sign(std::string_view text) const {
    const ed25519_signature signature = ed25519_sign(seed_, text);
    return std::string(text) + '\n' + std::string(dash) + verifier_.name + ' ' +
           to_base64(key_id(verifier_).append(view(signature))) + '\n';
}

std::expected<std::string, std::string> open_note(std::string_view note, const note_verifier& by) {
    // The last empty line separates: the text may have others.
    const std::size_t split = note.rfind("\n\n");
    if (split == std::string_view::npos || !note.ends_with('\n') || !utf8_characters(note)) {
        return std::unexpected("is no signed note");
    }
    const std::string_view text = note.substr(0, split + 1);
    std::string_view lines = note.substr(split + 2);
    bool signed_by_key = false;
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end + 1);
        if (!line.starts_with(dash)) return std::unexpected("is no signed note");
        line.remove_prefix(dash.size());
        const std::size_t space = line.find(' ');
        const auto blob = space == std::string_view::npos ? std::unexpected(std::string())
                                                          : from_base64(line.substr(space + 1));
        if (!blob || blob->size() < 5) return std::unexpected("is no signed note");
        if (line.substr(0, space) != by.name || !blob->starts_with(key_id(by))) continue;
        if (!ed25519_verify(by.key, text, std::string_view(*blob).substr(4))) {
            return std::unexpected("bears a bad signature of " + by.name);
        }
        signed_by_key = true;
    }
    if (!signed_by_key) return std::unexpected("bears no signature of " + by.vkey());
    return std::string(text);
}

std::string to_text(const checkpoint& head) {
    return std::format("{}\n{}\n{}\n", head.origin, head.size, to_base64(view(head.root)));
}

std::expected<checkpoint, std::string> parse_checkpoint(std::string_view text) {
    checkpoint head;
    const std::size_t first = text.find('\n');
    const std::size_t second = first == std::string_view::npos ? first : text.find('\n', first + 1);
    if (second == std::string_view::npos) return std::unexpected("is no checkpoint");
    head.origin = text.substr(0, first);
    const std::string_view size = text.substr(first + 1, second - first - 1);
    std::from_chars(size.data(), size.data() + size.size(), head.size);
    const auto root =
        from_base64(text.substr(second + 1, text.find('\n', second + 1) - second - 1));
    if (!root || root->size() != head.root.size()) return std::unexpected("is no checkpoint");
    std::copy_n(raw(*root), head.root.size(), head.root.begin());
    // Neither leading zeros nor further lines.
    if (head.size < 0 || to_text(head) != text) return std::unexpected("is no checkpoint");
    return head;
}

}  // namespace tickd
