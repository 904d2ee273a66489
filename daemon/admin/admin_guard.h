// Who may see what names tenants, producers and symbols: everything but health.
//
// One rule: with a secret, whoever shows it, wherever from. Without one, this machine alone.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/identity/token_list.h"

namespace tickd {

// From where the admin server can be reached.
enum class admin_reach : std::uint8_t { socket_file, loopback, network };

class admin_guard {
public:
    enum class verdict : std::uint8_t {
        welcome,
        unknown,       // the secret is missing or wrong
        closed,        // there is none, and the network reaches us
        foreign_name,  // asked under a name that is not this machine's own
    };

    // `secret`: its hash; nothing: there is none.
    explicit admin_guard(std::optional<token_hash> secret = std::nullopt) : secret_(secret) {}

    // `authorization` and `host`: the request's headers, empty when it has none.
    [[nodiscard]] verdict judge(admin_reach reach, std::string_view authorization,
                                std::string_view host) const noexcept;

private:
    std::optional<token_hash> secret_;
};

// Of the file's secret, without the newline behind it; nothing for no path. An error says what is
// wrong with the file.
[[nodiscard]] std::expected<std::optional<token_hash>, std::string> read_admin_secret(
    const std::string& path);

// `localhost` or an address, with a port or without: what a browser that was led to our port by
// somebody else's domain (DNS rebinding) does not send.
[[nodiscard]] bool names_no_domain(std::string_view host) noexcept;

}  // namespace tickd
