#include "daemon/admin/admin_guard.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <format>

#include "daemon/send/unique_fd.h"

namespace tickd {

namespace {

// What 16 random characters give; anything shorter is more likely a mistake than a secret.
constexpr std::size_t secret_chars_min = 16;
constexpr std::size_t secret_chars_max = 1024;

[[nodiscard]] bool same_ignoring_case(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    });
}

[[nodiscard]] std::string_view bearer_of(std::string_view authorization) noexcept {
    constexpr std::string_view scheme = "Bearer ";
    if (!same_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return {};
    return authorization.substr(scheme.size());
}

}  // namespace

admin_guard::verdict admin_guard::judge(admin_reach reach, std::string_view authorization,
                                        std::string_view host) const noexcept {
    if (secret_) {
        const token_hash shown = hash_of_token(bearer_of(authorization));
        const bool right = CRYPTO_memcmp(shown.data(), secret_->data(), shown.size()) == 0;
        return right ? verdict::welcome : verdict::unknown;
    }
    if (reach == admin_reach::network) return verdict::closed;
    // No browser reaches a socket's file.
    if (reach == admin_reach::loopback && !names_no_domain(host)) return verdict::foreign_name;
    return verdict::welcome;
}

std::expected<std::optional<token_hash>, std::string> read_admin_secret(const std::string& path) {
    if (path.empty()) return std::nullopt;
    const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string secret(secret_chars_max + 3, '\0');  // more than is good, or its end
    const ssize_t size = file ? ::read(file.get(), secret.data(), secret.size()) : -1;
    if (size < 0) {
        return std::unexpected(std::format("{} cannot be read: {}", path, std::strerror(errno)));
    }
    secret.resize(static_cast<std::size_t>(size));
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
    const bool sendable =
        std::ranges::all_of(secret, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
    if (secret.size() < secret_chars_min || secret.size() > secret_chars_max || !sendable) {
        return std::unexpected(path +
                               " must hold one line of 16 to 1024 ASCII characters without spaces");
    }
    return hash_of_token(secret);
}

bool names_no_domain(std::string_view host) noexcept {
    if (host.empty() || host.front() == '[') return true;
    const std::string_view name = host.substr(0, host.find(':'));
    if (same_ignoring_case(name, "localhost")) return true;
    return std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace tickd
