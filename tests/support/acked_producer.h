// A producer of acked sessions in this process, which remembers what it was told. It sends numbered
// records as long as it is wanted, comes back after every break, never sends again what was acked,
// and complains when the daemon contradicts itself. Its records can be known again in the tables.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tickd::test {

// What becomes of a record of the usual mix, which follows from its number.
enum class record_fate : std::uint8_t { tick, event, dead_letter };
[[nodiscard]] record_fate fate_of(std::uint64_t seq) noexcept;
// The record of the usual mix with its newline: the producer's name as symbol or agent, its number
// as bid or payload.
void append_record(const std::string& producer, std::uint64_t seq, std::string& to);

struct producer_plan {
    std::string name;     // at most 20 characters
    std::string address;  // HOST:PORT with a numeric IPv4 host, or unix:/PATH
    std::size_t unacked_max = 5000;
    double rate = 0;                         // records a second; 0: as they are taken
    std::string ack = "committed";           // what it asks for
    std::uint64_t records_max = UINT64_MAX;  // no more than this
    std::uint64_t sent_before = 0;           // by one of that name that went away
    std::function<void(std::uint64_t, std::string&)> append{};  // default: the usual mix
};

class acked_producer {
public:
    explicit acked_producer(producer_plan plan);
    ~acked_producer();
    acked_producer(const acked_producer&) = delete;
    acked_producer& operator=(const acked_producer&) = delete;

    // Sends nothing new and waits until all it has sent is acked. False: nothing was acked for
    // `patience`, or it can never end well.
    [[nodiscard]] bool finish();
    // Goes away in the middle of what it does.
    void abandon();

    [[nodiscard]] const std::string& name() const noexcept { return plan_.name; }
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_.load(); }
    [[nodiscard]] std::uint64_t acked() const noexcept { return acked_.load(); }
    [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_.load(); }
    [[nodiscard]] std::uint64_t welcomes() const noexcept { return welcomes_.load(); }
    // What the daemon said that cannot be true; empty: nothing.
    [[nodiscard]] std::string complaints() const;

private:
    void run();
    bool connect();
    void talk();
    void fill_outgoing();
    [[nodiscard]] bool send_some();
    [[nodiscard]] bool receive();
    void hear(std::string_view line);
    void settled(std::uint64_t seq);
    void complain(const std::string& what);
    [[nodiscard]] std::uint64_t allowed() const;

    const producer_plan plan_;
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> sent_{0}, acked_{0}, rejected_{0}, welcomes_{0};
    std::atomic<bool> finishing_{false}, over_{false};
    mutable std::mutex mutex_;
    std::string complaints_;

    // Of the thread:
    int socket_ = -1;
    std::uint64_t next_ = 1;
    bool welcomed_ = false, told_to_go_ = false;
    std::string outgoing_, received_;
    std::size_t outgoing_sent_ = 0;
    std::thread thread_;
};

}  // namespace tickd::test
