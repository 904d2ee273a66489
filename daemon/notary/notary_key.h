// The notary's keys as files: made once, read at start.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "daemon/config/config.h"
#include "daemon/notary/signed_note.h"

namespace tickd {

// A file of one line, PRIVATE+KEY+..., that nobody but its owner may read.
[[nodiscard]] std::expected<note_signer, std::string> read_key(const std::string& path);
// A fresh key; the file must not exist yet.
[[nodiscard]] std::expected<note_signer, std::string> make_key(const std::string& path,
                                                               const std::string& name);
// notary.key_file, or the systemd credential `notary.key`, or empty: there is no notary.
[[nodiscard]] std::string key_path(const config& settings);

}  // namespace tickd
