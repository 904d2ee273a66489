#include "daemon/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <memory>
#include <optional>

namespace tickd {

namespace {

using result = std::expected<address, std::string>;

constexpr std::string_view forms = "HOST:PORT, [IPV6]:PORT or unix:/PATH";
constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

// RFC 1035's limit on a whole name.
constexpr std::size_t host_name_bytes_max = 253;

bool is_ipv4(const std::string& text) {
    in_addr ignored{};
    return inet_pton(AF_INET, text.c_str(), &ignored) == 1;
}

// A zone (`fe80::1%eth0`) may follow.
bool is_ipv6(std::string_view text) {
    in6_addr ignored{};
    const std::size_t zone = text.find('%');
    if (zone != std::string_view::npos && zone + 1 == text.size()) return false;
    const std::string number{text.substr(0, zone)};
    return inet_pton(AF_INET6, number.c_str(), &ignored) == 1;
}

bool is_host_name(std::string_view text) {
    return !text.empty() && text.size() <= host_name_bytes_max &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_';
           });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const begin = std::to_address(text.begin());
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, port);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return port;
}

result parse_unix(std::string_view path) {
    if (!path.starts_with('/')) {
        return std::unexpected{"a unix socket needs an absolute path: unix:/run/tickd/tickd.sock"};
    }
    if (path.size() > path_bytes_max) {
        return std::unexpected{std::format("the path of a unix socket has at most {} bytes, not {}",
                                           path_bytes_max, path.size())};
    }
    if (path.contains('\0')) return std::unexpected{"the path holds a NUL byte"};
    if (path.ends_with('/')) return std::unexpected{"the path names a folder, not a socket"};
    return address{
        .kind = address::family::unix_socket, .host = {}, .port = 0, .path = std::string{path}};
}

result with_port(std::string_view host, std::string_view port_text) {
    const auto port = parse_port(port_text);
    if (!port) return std::unexpected{"the port must be a number from 0 to 65535"};
    return address{
        .kind = address::family::tcp, .host = std::string{host}, .port = *port, .path = {}};
}

}  // namespace

std::expected<address, std::string> parse_address(std::string_view text) {
    if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
    if (text.starts_with('/')) {
        return std::unexpected{std::format("a unix socket is written unix:{}", text)};
    }
    if (text.starts_with('[')) {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos || bracket + 1 == text.size() ||
            text[bracket + 1] != ':') {
            return std::unexpected{"an IPv6 address is written [::1]:7450"};
        }
        const std::string_view host = text.substr(1, bracket - 1);
        if (!is_ipv6(host))
            return std::unexpected{"what stands in brackets must be an IPv6 address"};
        return with_port(host, text.substr(bracket + 2));
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::unexpected{std::format("must be {}", forms)};
    }
    const std::string_view host = text.substr(0, colon);
    if (host.empty()) {
        return std::unexpected{"the host is missing: 0.0.0.0 or [::] stand for every interface"};
    }
    if (host.contains(':')) return std::unexpected{"an IPv6 address is written [::1]:7450"};
    if (!is_host_name(host)) return std::unexpected{std::format("must be {}", forms)};
    const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    if (numeric && !is_ipv4(std::string{host})) {
        return std::unexpected{"the host is not an IPv4 address"};
    }
    return with_port(host, text.substr(colon + 1));
}

std::string to_text(const address& where) {
    if (where.kind == address::family::unix_socket) return std::string{unix_prefix} + where.path;
    const bool ipv6 = where.host.contains(':');
    return std::format("{}{}{}:{}", ipv6 ? "[" : "", where.host, ipv6 ? "]" : "", where.port);
}

}  // namespace tickd
