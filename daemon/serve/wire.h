// A session's socket, with or without TLS. Without, a read is the socket's own and costs nothing
// more.
//
// TLS works on the descriptor itself, so that a connection can move between threads between two of
// its calls: the door shakes hands, the lane goes on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <cstddef>
#include <span>
#include <tuple>
#include <utility>

#include "daemon/tls/tls.h"

namespace tickd {

using stream_socket = boost::asio::generic::stream_protocol::socket;

// One thread at a time.
class wire {
public:
    // What happened, and how many bytes it was. As Asio's own operations give it.
    using done = std::tuple<boost::system::error_code, std::size_t>;

    explicit wire(stream_socket socket, tls_session tls = nullptr)
        : socket_(std::move(socket)), tls_(std::move(tls)) {}

    [[nodiscard]] bool secure() const noexcept { return tls_ != nullptr; }
    [[nodiscard]] stream_socket& socket() noexcept { return socket_; }
    [[nodiscard]] SSL* tls() const noexcept { return tls_.get(); }

    // As the server of a TLS session: to be called before anything else, and gives 0 bytes.
    boost::asio::awaitable<done> shake_hands(tls_session tls);

    // At least a byte. eof: the peer has ended the stream in order. `cancel` ends a wait.
    boost::asio::awaitable<done> read_some(std::span<char> room,
                                           boost::asio::cancellation_slot cancel = {});
    // TLS only: what can be had without waiting, which may be nothing.
    [[nodiscard]] done read_ready(std::span<char> room);
    boost::asio::awaitable<done> write_all(std::span<const char> bytes);

    // Bytes that have arrived and are not read; with TLS, at least as many as they are once
    // decrypted.
    [[nodiscard]] std::size_t available();
    // Both with TLS's own goodbye first, unless it has been said: without it the peer would take
    // the end for a cut.
    void shutdown_send();
    void close();

    // The descriptor and the session on it, which are the caller's then. -1: it could not be had.
    [[nodiscard]] std::pair<int, tls_session> release();

private:
    boost::asio::awaitable<done> read_tls(std::span<char> room,
                                          boost::asio::cancellation_slot cancel);
    void say_goodbye();
    boost::asio::awaitable<done> write_tls(std::span<const char> bytes);
    boost::asio::awaitable<boost::system::error_code> wait_for(
        int tls_result, boost::asio::cancellation_slot cancel);

    stream_socket socket_;
    tls_session tls_;
};

}  // namespace tickd
