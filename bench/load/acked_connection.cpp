#include "bench/load/acked_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <stdexcept>
#include <variant>

#include "ingest/hello.h"
#include "ingest/session_messages.h"

namespace bench {

namespace {

constexpr std::int64_t patience_ns = 60'000'000'000;

[[noreturn]] void fail(std::string_view call) {
    throw std::runtime_error(std::format("{}: {}", call, std::strerror(errno)));
}

}  // namespace

acked_connection::acked_connection(const std::string& address, const std::string& producer) {
    connect(address);
    const std::string line = ingest::to_line({.producer = producer});
    for (std::size_t sent = 0; sent < line.size();) {
        sent += send_some(std::string_view(line).substr(sent));
        if (sent < line.size()) wait(true);
    }
    while (!welcomed_) {
        wait(false);
        receive();
    }
}

acked_connection::~acked_connection() {
    if (socket_ >= 0) ::close(socket_);
}

void acked_connection::connect(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
        throw std::runtime_error("not a numeric address: " + address);
    }
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail("socket");
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        const int error = errno;
        ::close(socket_);
        errno = error;
        fail("connect to " + address);
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::size_t acked_connection::send_some(std::string_view bytes) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return 0;
    receive();  // what it said before it closed is the better explanation
    fail("send");
}

void acked_connection::wait(bool to_send, std::int64_t at_most_ns) {
    const std::int64_t limit = at_most_ns < 0 ? patience_ns : at_most_ns;
    const timespec until{.tv_sec = limit / 1'000'000'000, .tv_nsec = limit % 1'000'000'000};
    pollfd socket{.fd = socket_,
                  .events = static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN),
                  .revents = 0};
    const int ready = ::ppoll(&socket, 1, &until, nullptr);
    if (ready == 0 && at_most_ns < 0) throw std::runtime_error("the daemon stands still");
}

void acked_connection::receive() {
    std::array<char, 16 * 1024> bytes;
    for (;;) {
        const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got < 0) fail("recv");
        if (got == 0) throw std::runtime_error("the daemon has closed the session");
        received_.append(bytes.data(), static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = received_.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            hear(std::string_view(received_).substr(begin, end - begin));
        }
        received_.erase(0, begin);
    }
}

void acked_connection::hear(std::string_view line) {
    const auto message = ingest::parse_daemon_message(line);
    if (!message) throw std::runtime_error("not a message: " + std::string(line));
    if (std::holds_alternative<ingest::welcome_message>(*message)) {
        welcomed_ = true;
    } else if (const auto* acked = std::get_if<ingest::ack_message>(&*message)) {
        acked_ = acked->seq;
    } else if (std::holds_alternative<ingest::reject_message>(*message)) {
        ++rejected_;
    } else if (const auto* error = std::get_if<ingest::error_message>(&*message)) {
        throw std::runtime_error(
            std::format("the daemon refuses: {} {}", error->code, error->detail));
    }
}

}  // namespace bench
