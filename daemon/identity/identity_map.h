// Whom certificates and local users speak for, by the configuration's identities.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/identity/credential.h"

namespace tickd {

// The process at the other end of a unix socket, when it connected.
struct local_peer {
    uid_t user = 0;
    gid_t group = 0;  // its own, not its further ones
};

// What an identity asks of a local peer; nothing: no matter.
struct wanted_peer {
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};

// By the system's names; says which one it does not know.
[[nodiscard]] std::expected<wanted_peer, std::string> local_of(const identity_config& identity);

// Made at start, then read by one thread.
class identity_map {
public:
    // Identities whose user or group the system does not know fit nobody.
    explicit identity_map(const std::vector<identity_config>& identities);

    // Null: nobody that is known. The first in the order of the configuration counts.
    [[nodiscard]] const credential* by_peer(const local_peer& peer) const noexcept;
    // `names`: each with its kind before it, `CN:feed-a`, `DNS:feed-a.example`.
    [[nodiscard]] const credential* by_certificate(
        std::span<const std::string> names) const noexcept;

private:
    struct entry {
        std::string certificate;
        wanted_peer peer;
        credential who;
    };
    std::vector<entry> entries_;
};

}  // namespace tickd
