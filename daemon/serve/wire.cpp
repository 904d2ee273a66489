#include "daemon/serve/wire.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace tickd {

namespace asio = boost::asio;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

[[nodiscard]] int int_size(std::size_t bytes) noexcept {
    return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
}

// Of what is neither "wait" nor success. A stream that ends without TLS's own goodbye has been cut.
[[nodiscard]] boost::system::error_code error_of(int reason, int system_error) {
    switch (reason) {
        case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
        case SSL_ERROR_SYSCALL:
            if (system_error != 0) return {system_error, boost::system::system_category()};
            return asio::error::connection_reset;
        default: return asio::error::connection_reset;
    }
}

}  // namespace

asio::awaitable<wire::done> wire::shake_hands(tls_session tls) {
    tls_ = std::move(tls);
    boost::system::error_code failed;
    socket_.native_non_blocking(true, failed);
    while (!failed) {
        ERR_clear_error();
        const int result = SSL_do_handshake(tls_.get());
        if (result == 1) break;
        failed = co_await wait_for(result, {});
    }
    co_return done{failed, 0};
}

asio::awaitable<wire::done> wire::read_some(std::span<char> room, asio::cancellation_slot cancel) {
    if (tls_) return read_tls(room, cancel);
    const auto into = asio::buffer(room.data(), room.size());
    // An empty slot would hide that of the coroutine.
    if (!cancel.is_connected()) return socket_.async_read_some(into, no_throw);
    return socket_.async_read_some(into, asio::bind_cancellation_slot(cancel, no_throw));
}

asio::awaitable<wire::done> wire::write_all(std::span<const char> bytes) {
    if (tls_) return write_tls(bytes);
    return asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), no_throw);
}

wire::done wire::read_ready(std::span<char> room) {
    std::size_t got = 0;
    while (got < room.size()) {
        ERR_clear_error();
        const int bytes = SSL_read(tls_.get(), room.data() + got, int_size(room.size() - got));
        if (bytes <= 0) {
            const int reason = SSL_get_error(tls_.get(), bytes);
            if (got != 0 || reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) break;
            return {error_of(reason, errno), 0};
        }
        got += static_cast<std::size_t>(bytes);
    }
    return {boost::system::error_code{}, got};
}

asio::awaitable<wire::done> wire::read_tls(std::span<char> room, asio::cancellation_slot cancel) {
    for (;;) {
        const auto [failed, bytes] = read_ready(room);
        if (failed || bytes != 0) co_return done{failed, bytes};
        // Nothing in this session has changed since: it says again what it waits for.
        ERR_clear_error();
        char none = 0;
        const int result = SSL_peek(tls_.get(), &none, 1);
        if (result > 0) continue;
        const boost::system::error_code waited = co_await wait_for(result, cancel);
        if (waited) co_return done{waited, 0};
    }
}

asio::awaitable<wire::done> wire::write_tls(std::span<const char> bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        ERR_clear_error();
        const int result =
            SSL_write(tls_.get(), bytes.data() + sent, int_size(bytes.size() - sent));
        if (result > 0) {
            sent += static_cast<std::size_t>(result);
            continue;
        }
        const boost::system::error_code failed = co_await wait_for(result, {});
        if (failed) co_return done{failed, sent};
    }
    co_return done{boost::system::error_code{}, sent};
}

asio::awaitable<boost::system::error_code> wire::wait_for(int tls_result,
                                                          asio::cancellation_slot cancel) {
    const int system_error = errno;
    const int reason = SSL_get_error(tls_.get(), tls_result);
    if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
        co_return error_of(reason, system_error);
    }
    const auto what = reason == SSL_ERROR_WANT_READ ? asio::socket_base::wait_read
                                                    : asio::socket_base::wait_write;
    if (!cancel.is_connected()) {
        const auto [failed] = co_await socket_.async_wait(what, no_throw);
        co_return failed;
    }
    const auto [failed] =
        co_await socket_.async_wait(what, asio::bind_cancellation_slot(cancel, no_throw));
    co_return failed;
}

std::size_t wire::available() {
    boost::system::error_code failed;
    std::size_t bytes = socket_.available(failed);
    if (failed) bytes = 0;
    if (tls_) {
        // With read-ahead a record may have been read and not yet been decrypted.
        if (SSL_has_pending(tls_.get()) == 1) bytes += SSL3_RT_MAX_PACKET_SIZE;
    }
    return bytes;
}

void wire::say_goodbye() {
    if (!tls_ || !socket_.is_open()) return;
    if ((SSL_get_shutdown(tls_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
}

void wire::shutdown_send() {
    say_goodbye();
    boost::system::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void wire::close() {
    say_goodbye();
    // The descriptor's number is soon another connection's: nothing may be read or written by it.
    if (tls_) SSL_set_bio(tls_.get(), nullptr, nullptr);
    boost::system::error_code ignored;
    socket_.close(ignored);
}

std::pair<int, tls_session> wire::release() {
    boost::system::error_code failed;
    const int descriptor = socket_.release(failed);
    return {failed ? -1 : descriptor, std::move(tls_)};
}

}  // namespace tickd
