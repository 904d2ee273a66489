#include "daemon/serve/inherited_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace tickd {

namespace {

[[nodiscard]] std::optional<address> bound_to(int fd) {
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) return std::nullopt;
    sockaddr_storage raw{};
    socklen_t size = sizeof raw;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    address where;
    if (raw.ss_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &raw, sizeof in);
        where.host = ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
        where.port = ntohs(in.sin_port);
    } else if (raw.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &raw, sizeof in);
        where.host = ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
        where.port = ntohs(in.sin6_port);
    } else if (raw.ss_family == AF_UNIX) {
        sockaddr_un in{};
        std::memcpy(&in, &raw, sizeof in);
        const std::size_t length = size - offsetof(sockaddr_un, sun_path);
        where.kind = address::family::unix_socket;
        where.path.assign(in.sun_path, ::strnlen(in.sun_path, length));
    } else {
        return std::nullopt;
    }
    return where;
}

}  // namespace

inherited_sockets inherited_sockets::take() {
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    inherited_sockets found;
    for (int i = 0; i < count; ++i) {
        inherited each{.fd = SD_LISTEN_FDS_START + i, .name = names[i], .bound = {}, .where = {}};
        if (const auto where = bound_to(each.fd)) {
            each.where = *where;
            each.bound = to_text(*where);
        }
        found.sockets_.push_back(std::move(each));
    }
    for (char** name = names; name != nullptr && *name != nullptr; ++name) std::free(*name);
    std::free(static_cast<void*>(names));
    return found;
}

inherited_sockets::~inherited_sockets() { close_all(); }

inherited_sockets::inherited_sockets(inherited_sockets&& other) noexcept
    : sockets_(std::exchange(other.sockets_, {})) {}

inherited_sockets& inherited_sockets::operator=(inherited_sockets&& other) noexcept {
    if (this != &other) {
        close_all();
        sockets_ = std::exchange(other.sockets_, {});
    }
    return *this;
}

void inherited_sockets::close_all() noexcept {
    for (const inherited& each : sockets_) ::close(each.fd);
    sockets_.clear();
}

int inherited_sockets::claim(const std::string& name, const address& where) {
    const auto by_name = std::ranges::find_if(sockets_, [&](const inherited& each) {
        return !each.bound.empty() && each.name == name && each.where.kind == where.kind;
    });
    if (by_name != sockets_.end()) return give(by_name);
    const auto by_address = std::ranges::find_if(sockets_, [&](const inherited& each) {
        return !each.bound.empty() && each.where == where;
    });
    return by_address != sockets_.end() ? give(by_address) : -1;
}

int inherited_sockets::give(std::vector<inherited>::iterator which) {
    const int fd = which->fd;
    sockets_.erase(which);
    return fd;
}

std::vector<std::string> inherited_sockets::unclaimed() const {
    std::vector<std::string> left;
    left.reserve(sockets_.size());
    for (const inherited& each : sockets_) {
        left.push_back(
            each.name + " at " +
            (each.bound.empty() ? "nowhere: it is no listening stream socket" : each.bound));
    }
    return left;
}

}  // namespace tickd
