// A feed handler made of a plain socket, TCP or unix.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tickd::test {

// Throws std::runtime_error when a call fails for another reason than those it names.
class tcp_client {
public:
    // HOST:PORT with a numeric IPv4 host, or unix:/PATH.
    explicit tcp_client(const std::string& address);
    ~tcp_client();
    tcp_client(tcp_client&& other) noexcept;
    tcp_client(const tcp_client&) = delete;
    tcp_client& operator=(const tcp_client&) = delete;

    // Everything, however long the daemon takes to read it, but no minute without progress.
    void send(std::string_view bytes);
    // What the kernel takes now: 0 when it takes nothing. Nothing: the daemon has closed.
    [[nodiscard]] std::optional<std::size_t> send_some(std::string_view bytes);
    // Whether the kernel takes more within that time.
    [[nodiscard]] bool await_writable(std::chrono::milliseconds at_most);
    // Waits until the other side's kernel has everything that was sent. TCP only.
    [[nodiscard]] bool await_delivered();

    void finish();  // sends the end of the stream; the other direction stays open
    void reset();   // breaks the connection off
    // Waits until the daemon closes. What it sent before; nothing: it has not closed.
    [[nodiscard]] std::optional<std::string> read_to_end();
    // What has come, once something has. Empty: the daemon has closed; nothing: it says nothing.
    [[nodiscard]] std::optional<std::string> read_some();
    // Waits, without reading, until the daemon has closed. Unix sockets only: TCP tells in order.
    [[nodiscard]] bool await_closed() const;

private:
    int socket_ = -1;
};

}  // namespace tickd::test
