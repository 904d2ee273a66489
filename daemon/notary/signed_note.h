// Signed notes as C2SP describes them (signed-note.md), with Ed25519: a text, an empty line, and a
// line for each signature,
//
//     — NAME base64(key id || signature)
//
// where the key id is the first four bytes of SHA256(NAME || 0x0A || 0x01 || public key).
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tickd {

using ed25519_bytes = std::array<unsigned char, 32>;
using ed25519_signature = std::array<unsigned char, 64>;

// Who may check: `NAME+HASH+BASE64`, a C2SP vkey.
struct note_verifier {
    std::string name;
    ed25519_bytes key{};

    [[nodiscard]] std::string vkey() const;
};
[[nodiscard]] std::expected<note_verifier, std::string> parse_vkey(std::string_view text);

// Who may sign. Its text form is that of Go's note package: `PRIVATE+KEY+NAME+HASH+BASE64`.
class note_signer {
public:
    // `name`: no space, no plus, not empty, UTF-8.
    [[nodiscard]] static std::expected<note_signer, std::string> make(std::string name,
                                                                      const ed25519_bytes& seed);
    [[nodiscard]] static std::expected<note_signer, std::string> parse(std::string_view text);

    [[nodiscard]] const note_verifier& verifier() const noexcept { return verifier_; }
    [[nodiscard]] std::string private_text() const;
    // `text` ends with a newline. The whole note.
    [[nodiscard]] std::string sign(std::string_view text) const;

private:
    note_signer() = default;
    ed25519_bytes seed_{};
    note_verifier verifier_;
};

// The text of a note that bears a good signature of the key and no bad one of it; other keys'
// signatures are passed over.
[[nodiscard]] std::expected<std::string, std::string> open_note(std::string_view note,
                                                                const note_verifier& by);

// For tests against the vectors of RFC 8032, and what the above rest on.
[[nodiscard]] ed25519_signature ed25519_sign(const ed25519_bytes& seed, std::string_view message);
[[nodiscard]] bool ed25519_verify(const ed25519_bytes& key, std::string_view message,
                                  std::string_view signature);

[[nodiscard]] std::string to_base64(std::string_view bytes);
// Nothing for what is not base64 with its padding, or is written in another way than to_base64's.
[[nodiscard]] std::expected<std::string, std::string> from_base64(std::string_view text);

// Checkpoints (C2SP tlog-checkpoint.md): the log's name, its size, its root.
struct checkpoint {
    std::string origin;
    std::int64_t size = 0;
    std::array<unsigned char, 32> root{};
    bool operator==(const checkpoint&) const = default;
};
[[nodiscard]] std::string to_text(const checkpoint& head);
[[nodiscard]] std::expected<checkpoint, std::string> parse_checkpoint(std::string_view text);

}  // namespace tickd
