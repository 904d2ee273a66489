#include "verify/signed_note.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "verify/encoding.h"

namespace verify {

namespace {

constexpr std::string_view signature_mark = "\u2014 ";  // an em dash and a space
constexpr char ed25519_type = 1;

// Neither empty nor with a plus or white space, as C2SP asks of a key's name. Our names are ASCII.
bool is_key_name(std::string_view name) {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
}

std::array<std::uint8_t, 4> key_id(hasher& sha, std::string_view name, std::string_view type_key) {
    const digest hash = sha.of(std::string(name) + '\n' + std::string(type_key));
    return {hash[0], hash[1], hash[2], hash[3]};
}

std::string_view id_bytes(const std::array<std::uint8_t, 4>& id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};
}

std::expected<note_signature, std::string> parse_signature(std::string_view line) {
    if (!line.starts_with(signature_mark)) return std::unexpected("a line is no signature");
    line.remove_prefix(signature_mark.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::unexpected("a signature has no value");
    note_signature signature;
    signature.name = line.substr(0, space);
    const auto bytes = from_base64(line.substr(space + 1));
    if (!is_key_name(signature.name) || !bytes || bytes->size() < 5) {
        return std::unexpected("a signature is malformed");
    }
    std::copy_n(bytes->begin(), 4, signature.id.begin());
    signature.bytes = bytes->substr(4);
    return signature;
}

struct key_free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct context_free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

std::optional<verifier_key> parse_verifier_key(hasher& sha, std::string_view text) {
    const std::size_t first = text.find('+');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = text.find('+', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    verifier_key key;
    key.name = text.substr(0, first);
    const auto id = from_hex(text.substr(first + 1, second - first - 1));
    const auto type_key = from_base64(text.substr(second + 1));
    if (!is_key_name(key.name) || !id || id->size() != 4 || !type_key || type_key->size() != 33 ||
        type_key->front() != ed25519_type) {
        return std::nullopt;
    }
    key.id = key_id(sha, key.name, *type_key);
    if (id_bytes(key.id) != *id) return std::nullopt;
    std::copy_n(type_key->begin() + 1, 32, key.public_key.begin());
    return key;
}

std::string to_text(const verifier_key& key) {
    std::string type_key(1, ed25519_type);
    type_key.append(key.public_key.begin(), key.public_key.end());
    return key.name + '+' + to_hex(id_bytes(key.id)) + '+' + to_base64(type_key);
}

std::expected<signed_note, std::string> parse_note(std::string_view note) {
    if (note.size() > note_bytes_max) return std::unexpected("the note is too long");
    const bool has_control = std::ranges::any_of(note, [](char c) {
        return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f';
    });
    if (has_control) return std::unexpected("the note has control characters (or CRLF)");
    // The last blank line separates: the text may have blank lines of its own.
    const std::size_t blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return std::unexpected("the note has no blank line");
    signed_note result;
    result.text = note.substr(0, blank + 1);
    std::string_view rest = note.substr(blank + 2);
    if (rest.empty()) return std::unexpected("the note has no signature");
    while (!rest.empty()) {
        const auto line = take_line(rest);
        if (!line) return std::unexpected("the last signature's line has no end");
        auto signature = parse_signature(*line);
        if (!signature) return std::unexpected(std::move(signature.error()));
        if (result.signatures.size() == signatures_max) {
            return std::unexpected("the note has more than 16 signatures");
        }
        result.signatures.push_back(std::move(*signature));
    }
    return result;
}

bool ed25519_verifies(std::span<const std::uint8_t, 32> public_key, std::string_view message,
                      std::string_view signature) {
    const std::unique_ptr<EVP_PKEY, key_free> key(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()));
    const std::unique_ptr<EVP_MD_CTX, context_free> context(EVP_MD_CTX_new());
    if (!key || !context || signature.size() != 64) return false;
    return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(),
                            reinterpret_cast<const unsigned char*>(message.data()),
                            message.size()) == 1;
}

signature_state check_signature(const signed_note& note, const verifier_key& key) {
    signature_state state = signature_state::unknown;
    for (const note_signature& signature : note.signatures) {
        if (signature.name != key.name || signature.id != key.id) continue;
        if (!ed25519_verifies(key.public_key, note.text, signature.bytes)) {
            return signature_state::bad;
        }
        state = signature_state::good;
    }
    return state;
}

std::expected<checkpoint, std::string> parse_checkpoint(std::string_view note) {
    auto parsed = parse_note(note);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    std::string_view rest = parsed->text;
    const auto origin = take_line(rest);
    const auto size_line = take_line(rest);
    const auto root_line = take_line(rest);
    if (!origin || !size_line || !root_line) {
        return std::unexpected("the checkpoint has fewer than three lines");
    }
    if (!rest.empty()) return std::unexpected("the checkpoint has extension lines");
    const auto size = decimal(*size_line);
    const auto root = digest_from_base64(*root_line);
    if (origin->empty() || !size || !root) {
        return std::unexpected("the checkpoint's origin, size or root is malformed");
    }
    return checkpoint{.origin = std::string(*origin),
                      .head = {static_cast<std::uint64_t>(*size), *root},
                      .note = std::move(*parsed)};
}

}  // namespace verify
