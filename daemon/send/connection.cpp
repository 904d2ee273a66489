#include "daemon/send/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <format>
#include <memory>
#include <utility>

namespace tickd {

namespace {

using std::chrono::milliseconds;

// For the few bytes of a goodbye, when the socket is full.
constexpr int goodbye_ms = 5000;

std::string remedy(int error, const address& where) {
    const std::string text = to_text(where);
    switch (error) {
        case ECONNREFUSED:
        case ENOENT:
            return std::format(
                "nothing listens on {}: start `tickd serve`, or compare the address "
                "with the listeners in its configuration (`tickd config show`)",
                text);
        case EACCES:
        case EPERM:
            return std::format(
                "no rights to connect to {}: a unix socket's group and unix_mode decide", text);
        case ETIMEDOUT:
            return std::format(
                "{} does not answer: is the host up, and does a firewall drop packets?", text);
        default: return std::format("cannot connect to {}: {}", text, std::strerror(error));
    }
}

// 0, or errno of one attempt; ECANCELED when a signal came.
int connect_socket(const unique_fd& socket, const sockaddr* peer, socklen_t peer_bytes,
                   stop_signal& stop, milliseconds timeout) {
    if (::connect(socket.get(), peer, peer_bytes) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    std::array<pollfd, 2> polled{{{stop.fd(), POLLIN, 0}, {socket.get(), POLLOUT, 0}}};
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    if (polled[0].revents != 0) return ECANCELED;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

struct attempt {
    unique_fd socket;
    int error = 0;
};

attempt try_address(int family, const sockaddr* peer, socklen_t peer_bytes, stop_signal& stop,
                    milliseconds timeout) {
    attempt made{
        .socket = unique_fd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)},
        .error = 0};
    made.error = made.socket ? connect_socket(made.socket, peer, peer_bytes, stop, timeout) : errno;
    return made;
}

attempt connect_unix(const address& where, stop_signal& stop, milliseconds timeout) {
    sockaddr_un peer{};
    peer.sun_family = AF_UNIX;
    // parse_address has checked that it fits.
    std::memcpy(peer.sun_path, where.path.data(), where.path.size());
    return try_address(AF_UNIX, reinterpret_cast<const sockaddr*>(&peer), sizeof peer, stop,
                       timeout);
}

// Acks may be waited for as long as the database is away, so only the peer's kernel can say that
// there still is one: without an answer it is gone after 10 + 3 * 5 s.
void notice_lost_peer(int socket) {
    constexpr int on = 1, idle_s = 10, interval_s = 5, probes = 3;
    ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

}  // namespace

std::expected<connection, connect_error> connection::open(const address& where, stop_signal& stop,
                                                          milliseconds timeout, SSL_CTX* tls) {
    attempt last;
    if (where.kind == address::family::unix_socket) {
        last = connect_unix(where, stop, timeout);
    } else {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        wanted.ai_flags = AI_NUMERICSERV;
        addrinfo* list = nullptr;
        const int failed =
            ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wanted, &list);
        if (failed != 0) {
            return std::unexpected{
                connect_error{false, std::format("{}: {}", where.host, ::gai_strerror(failed))}};
        }
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
        for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
            last = try_address(each->ai_family, each->ai_addr, each->ai_addrlen, stop, timeout);
            if (last.error == 0 || last.error == ECANCELED) break;
        }
        const int on = 1;
        if (last.error == 0) {
            // Sends are large or meant for now: nothing is won by holding a short one back.
            ::setsockopt(last.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            notice_lost_peer(last.socket.get());
        }
    }
    if (last.error == 0) {
        connection made{std::move(last.socket)};
        if (tls != nullptr) {
            auto shaken = made.shake_hands(where, *tls, stop, timeout);
            if (!shaken) return std::unexpected{std::move(shaken.error())};
        }
        return made;
    }
    if (last.error == ECANCELED) return std::unexpected{connect_error{true, "stopped"}};
    return std::unexpected{connect_error{false, remedy(last.error, where)}};
}

std::expected<void, connect_error> connection::shake_hands(const address& where, SSL_CTX& tls,
                                                           stop_signal& stop,
                                                           milliseconds timeout) {
    const auto failed = [&](std::string_view why) {
        return std::unexpected{
            connect_error{false, std::format("{}: no TLS session: {}", to_text(where), why)}};
    };
    tls_ = connect_tls(tls, socket_.get(), where.host);
    if (!tls_) return failed(tls_failure());
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        ERR_clear_error();
        const int result = SSL_do_handshake(tls_.get());
        if (result == 1) return {};
        const int reason = SSL_get_error(tls_.get(), result);
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            const long verdict = SSL_get_verify_result(tls_.get());
            if (verdict != X509_V_OK) return failed(X509_verify_cert_error_string(verdict));
            return failed(reason == SSL_ERROR_SSL ? tls_failure() : "the connection broke");
        }
        const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
        if (left <= milliseconds{0}) return failed("it takes too long");
        const auto wanted = static_cast<short>(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
        std::array<pollfd, 2> polled{{{stop.fd(), POLLIN, 0}, {socket_.get(), wanted, 0}}};
        ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
        if (polled[0].revents != 0) return std::unexpected{connect_error{true, "stopped"}};
    }
}

// What a call of OpenSSL that moved no byte means. `wait_more`: nothing but "later".
std::expected<std::size_t, std::string> connection::after_tls(int result, bool& wait_more) {
    const int system_error = errno;
    const int reason = SSL_get_error(tls_.get(), result);
    wait_more = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
    if (wait_more || reason == SSL_ERROR_ZERO_RETURN) return 0;
    if (reason == SSL_ERROR_SSL) return std::unexpected{tls_failure()};
    return std::unexpected{std::string{std::strerror(system_error)}};
}

std::expected<std::size_t, std::string> connection::send(std::string_view bytes) {
    if (tls_) {
        ERR_clear_error();
        const int sent = SSL_write(tls_.get(), bytes.data(),
                                   static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
        bool later = false;
        return sent > 0 ? static_cast<std::size_t>(sent) : after_tls(sent, later);
    }
    for (;;) {
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
        return std::unexpected{std::string{std::strerror(errno)}};
    }
}

std::expected<std::optional<std::size_t>, std::string> connection::receive(std::span<char> into) {
    if (tls_) {
        ERR_clear_error();
        const int received = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
        if (received > 0) return static_cast<std::size_t>(received);
        bool later = false;
        auto none = after_tls(received, later);
        if (!none) return std::unexpected{std::move(none.error())};
        return later ? std::nullopt : std::optional<std::size_t>{0};
    }
    for (;;) {
        const ssize_t received = ::recv(socket_.get(), into.data(), into.size(), 0);
        if (received >= 0) return static_cast<std::size_t>(received);
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
        return std::unexpected{std::string{std::strerror(errno)}};
    }
}

// Without TLS's own goodbye the daemon would take the end for a cut.
void connection::finish_sending() {
    if (tls_) {
        ERR_clear_error();
        const int result = SSL_shutdown(tls_.get());
        if (result < 0 && SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_WRITE) {
            pollfd writable{socket_.get(), POLLOUT, 0};
            ::poll(&writable, 1, goodbye_ms);
            SSL_shutdown(tls_.get());
        }
    }
    (void)::shutdown(socket_.get(), SHUT_WR);
}

readiness connection::wait(bool for_writing, stop_signal& stop, milliseconds timeout) const {
    const short wanted = for_writing ? static_cast<short>(POLLIN | POLLOUT) : short{POLLIN};
    std::array<pollfd, 2> polled{{{stop.fd(), POLLIN, 0}, {socket_.get(), wanted, 0}}};
    readiness found;
    // A record that was larger than what was asked for is out of the socket already.
    const bool decrypted = tls_ && SSL_pending(tls_.get()) > 0;
    const int at_most_ms = decrypted ? 0 : static_cast<int>(timeout.count());
    if (decrypted) found.add(ready::readable);
    if (::poll(polled.data(), polled.size(), at_most_ms) <= 0) return found;
    if (polled[0].revents != 0) found.add(ready::stop);
    if ((polled[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) found.add(ready::readable);
    if ((polled[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0) found.add(ready::writable);
    return found;
}

}  // namespace tickd
