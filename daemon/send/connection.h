// A sender's connection to the daemon: connecting, waiting, sending and receiving without blocking
// past a stop signal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/address.h"
#include "daemon/send/stop_signal.h"
#include "daemon/send/unique_fd.h"
#include "daemon/tls/tls.h"

namespace tickd {

struct connect_error {
    bool stopped = false;  // a signal came while connecting
    std::string message;   // what happened and what to do about it
};

enum class ready : std::uint8_t { readable = 1, writable = 2, stop = 4 };

// What a wait ended with; none of them: its time was up.
class readiness {
public:
    void add(ready what) noexcept {
        bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(what));
    }
    [[nodiscard]] bool has(ready what) const noexcept {
        return (bits_ & static_cast<std::uint8_t>(what)) != 0;
    }

private:
    std::uint8_t bits_ = 0;
};

// Used by one thread. The socket does not block.
class connection {
public:
    // Tries every address the name has, each for at most `timeout`. With `tls`, a context of
    // make_tls_client, then shakes hands for at most that long; the host must be who it says.
    [[nodiscard]] static std::expected<connection, connect_error> open(
        const address& where, stop_signal& stop, std::chrono::milliseconds timeout,
        SSL_CTX* tls = nullptr);

    // Bytes that the system took, 0 when it takes none now, or why the connection is lost.
    [[nodiscard]] std::expected<std::size_t, std::string> send(std::string_view bytes);
    // Bytes received; 0: the peer has closed. Nothing: none are there now.
    [[nodiscard]] std::expected<std::optional<std::size_t>, std::string> receive(
        std::span<char> into);
    // Says that nothing more will be sent; receiving goes on.
    void finish_sending();

    // Waits until the socket is readable or (if wanted) writable, a signal waits, or `timeout`.
    // A lost connection counts as readable and writable: the next call says why.
    [[nodiscard]] readiness wait(bool for_writing, stop_signal& stop,
                                 std::chrono::milliseconds timeout) const;

private:
    explicit connection(unique_fd socket) noexcept : socket_{std::move(socket)} {}
    [[nodiscard]] std::expected<void, connect_error> shake_hands(const address& where, SSL_CTX& tls,
                                                                 stop_signal& stop,
                                                                 std::chrono::milliseconds timeout);
    [[nodiscard]] std::expected<std::size_t, std::string> after_tls(int result, bool& wait_more);

    unique_fd socket_;
    tls_session tls_;  // null: none
};

}  // namespace tickd
