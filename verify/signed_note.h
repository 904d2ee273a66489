// C2SP signed notes and checkpoints with Ed25519 keys, read strictly.
//
//   vkey          <name>+<hash, 8 hex digits>+<base64 of 0x01 and the 32-byte public key>
//   note          <text, lines>\n\n<signature lines>
//   signature     "— <name> <base64 of 4-byte key id and 64-byte signature>\n"
//   checkpoint    a note whose text is <origin>\n<size>\n<base64 of the root>\n and nothing more
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/merkle_tree.h"

namespace verify {

// Signature lines that a note may have.
inline constexpr std::size_t signatures_max = 16;
// Bytes of a note; a checkpoint needs a few hundred.
inline constexpr std::size_t note_bytes_max = 64 * 1024;

struct verifier_key {
    std::string name;
    std::array<std::uint8_t, 4> id{};
    std::array<std::uint8_t, 32> public_key{};
    bool operator==(const verifier_key&) const = default;
};
// Nothing when the text is no vkey, of another algorithm, or its hash is not the key's.
[[nodiscard]] std::optional<verifier_key> parse_verifier_key(hasher& sha, std::string_view text);
[[nodiscard]] std::string to_text(const verifier_key& key);

struct note_signature {
    std::string name;
    std::array<std::uint8_t, 4> id{};
    std::string bytes;
};
struct signed_note {
    std::string text;  // what is signed, with its last newline
    std::vector<note_signature> signatures;
};
// Or what is wrong with it.
[[nodiscard]] std::expected<signed_note, std::string> parse_note(std::string_view note);

enum class signature_state : std::uint8_t {
    good,
    bad,      // it names this key, and the key did not make it
    unknown,  // no signature line names this key
};
[[nodiscard]] signature_state check_signature(const signed_note& note, const verifier_key& key);

// Whether the 64 bytes are the key's Ed25519 signature of the message.
[[nodiscard]] bool ed25519_verifies(std::span<const std::uint8_t, 32> public_key,
                                    std::string_view message, std::string_view signature);

struct checkpoint {
    std::string origin;
    tree_head head;
    signed_note note;
};
[[nodiscard]] std::expected<checkpoint, std::string> parse_checkpoint(std::string_view note);

}  // namespace verify
