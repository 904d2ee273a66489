// The sending side of an acked session, as cheap as it can be made: bytes that lie ready go out,
// acks come in, and nothing is kept. What is measured is the daemon, not its client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// One thread. Throws std::runtime_error when the daemon cannot be reached, closes, sends an error
// or stands still for a minute.
class acked_connection {
public:
    // Connects and says hello as `producer`; returns once welcomed. `address`: HOST:PORT with a
    // numeric IPv4 host.
    acked_connection(const std::string& address, const std::string& producer);
    ~acked_connection();
    acked_connection(const acked_connection&) = delete;
    acked_connection& operator=(const acked_connection&) = delete;

    // Sends what the kernel takes now; gives how many bytes that was.
    [[nodiscard]] std::size_t send_some(std::string_view bytes);
    // Waits until acks have come in or, with `to_send`, until the kernel takes more, for at most
    // `at_most_ns`; negative: a minute, after which it throws.
    void wait(bool to_send, std::int64_t at_most_ns = -1);
    // Takes in whatever has been received, without waiting.
    void receive();

    // Everything up to this sequence is settled.
    [[nodiscard]] std::uint64_t acked() const noexcept { return acked_; }
    [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

private:
    void connect(const std::string& address);
    void hear(std::string_view line);

    int socket_ = -1;
    bool welcomed_ = false;
    std::uint64_t acked_ = 0;
    std::uint64_t rejected_ = 0;
    std::string received_;
};

}  // namespace bench
