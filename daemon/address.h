// Where a listener listens and a sender connects to: `HOST:PORT`, `[IPV6]:PORT` or `unix:/PATH`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tickd {

struct address {
    enum class family : std::uint8_t { tcp, unix_socket };

    family kind = family::tcp;
    std::string host;        // tcp: name, IPv4, or IPv6 without brackets
    std::uint16_t port = 0;  // tcp: 0 lets the system choose when listening
    std::string path;        // unix_socket: absolute, at most 107 bytes

    bool operator==(const address&) const = default;
};

// The address, or what is wrong with `text` and how to write it. Resolves no names.
[[nodiscard]] std::expected<address, std::string> parse_address(std::string_view text);

// The form that parse_address reads back to an equal address.
[[nodiscard]] std::string to_text(const address& where);

}  // namespace tickd
