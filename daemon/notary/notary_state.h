// What the notary has signed, in a file of its own outside the database: a line for each
// checkpoint, on the disk before its signature leaves. A log that has gone back behind it, or has
// another root at its size, is noticed by this file alone.
//
//     ual-notary/v1 ORIGIN
//     SIZE BASE64-ROOT CHECK      CHECK: 16 hex digits of the SHA-256 of what stands before it
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "daemon/notary/signed_note.h"

namespace tickd {

class notary_state {
public:
    // Opens the file, or makes it when it does not exist, and holds a lock on it: a second notary
    // on the same state is refused. A torn last line is cut off; anything else that is not as it
    // was written is an error.
    [[nodiscard]] static std::expected<notary_state, std::string> open(const std::string& path);
    ~notary_state();
    notary_state(notary_state&& other) noexcept;
    notary_state(const notary_state&) = delete;

    // The newest checkpoint; nothing: none was ever signed here.
    [[nodiscard]] const std::optional<checkpoint>& newest() const noexcept { return newest_; }
    // On the disk when it returns.
    [[nodiscard]] std::expected<void, std::string> append(const checkpoint& head);

private:
    notary_state() = default;
    [[nodiscard]] std::expected<void, std::string> read(const std::string& path);
    [[nodiscard]] std::expected<void, std::string> write(const std::string& line);
    int file_ = -1;
    std::optional<checkpoint> newest_;
};

}  // namespace tickd
