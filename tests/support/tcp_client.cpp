#include "tests/support/tcp_client.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/daemon_process.h"

namespace tickd::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

[[nodiscard]] int open_socket(int family) {
    const int opened = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (opened < 0) fail("socket");
    return opened;
}

template <typename Address>
[[nodiscard]] bool connect_to(int socket, const Address& to) {
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

[[nodiscard]] bool poll_one(int socket, short events, std::chrono::milliseconds at_most) {
    pollfd waiting{.fd = socket, .events = events, .revents = 0};
    return ::poll(&waiting, 1, static_cast<int>(at_most.count())) > 0;
}

}  // namespace

tcp_client::tcp_client(const std::string& address) {
    bool connected = false;
    if (address.starts_with("unix:")) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        const std::string path = address.substr(5);
        if (path.size() >= sizeof to.sun_path) throw std::runtime_error("too long: " + path);
        std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
        socket_ = open_socket(AF_UNIX);
        connected = connect_to(socket_, to);
    } else {
        const std::size_t colon = address.rfind(':');
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
        if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
            throw std::runtime_error("no address: " + address);
        }
        socket_ = open_socket(AF_INET);
        connected = connect_to(socket_, to);
    }
    if (!connected) {
        const int why = errno;
        ::close(socket_);
        errno = why;
        fail("connect to " + address);
    }
}

tcp_client::~tcp_client() {
    if (socket_ >= 0) ::close(socket_);
}

tcp_client::tcp_client(tcp_client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

std::optional<std::size_t> tcp_client::send_some(std::string_view bytes) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return 0;
    if (errno == EPIPE || errno == ECONNRESET) return std::nullopt;
    fail("send");
}

void tcp_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = send_some(bytes);
        if (!sent) throw std::runtime_error("the daemon has closed the connection");
        if (*sent == 0 && !await_writable(patience)) {
            throw std::runtime_error("the daemon does not read");
        }
        bytes.remove_prefix(*sent);
    }
}

bool tcp_client::await_writable(std::chrono::milliseconds at_most) {
    return poll_one(socket_, POLLOUT, at_most);
}

bool tcp_client::await_delivered() {
    return await_condition([this] {
        int left = 0;
        if (::ioctl(socket_, SIOCOUTQ, &left) != 0) fail("SIOCOUTQ");
        return left == 0;
    });
}

void tcp_client::finish() {
    if (::shutdown(socket_, SHUT_WR) != 0) fail("shutdown");
}

void tcp_client::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(socket_, -1));
}

std::optional<std::string> tcp_client::read_some() {
    std::array<char, 65536> part{};
    if (!poll_one(socket_, POLLIN, patience)) return std::nullopt;
    const ssize_t got = ::recv(socket_, part.data(), part.size(), 0);
    if (got < 0 && errno != ECONNRESET) fail("recv");
    return std::string(part.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
}

std::optional<std::string> tcp_client::read_to_end() {
    std::string text;
    for (;;) {
        const auto part = read_some();
        if (!part) return std::nullopt;
        if (part->empty()) return text;
        text += *part;
    }
}

bool tcp_client::await_closed() const { return poll_one(socket_, POLLRDHUP, patience); }

}  // namespace tickd::test
