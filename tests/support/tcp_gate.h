// A gate between two parties that talk over a stream socket: it listens on a port of 127.0.0.1,
// passes everything on, and does to a connection what a network, a firewall or a dying host does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/pg_wire_watch.h"

namespace tickd::test {

// Where a connection of tickd to PostgreSQL is cut, seen from its COMMIT.
enum class commit_cut : std::uint8_t {
    none,
    withheld,  // COMMIT has left tickd and never reaches the server, which rolls back
    at_once,   // it is passed on and everything is cut in the same moment: nobody can know
    answered,  // the server has committed; its answer is lost
};

// What happens to one connection; counts begin with it.
struct gate_fault {
    static constexpr std::uint64_t never = UINT64_MAX;
    std::uint64_t cut_after_sent = never;      // bytes from the client that are still passed on
    std::uint64_t cut_after_received = never;  // bytes from the server
    std::size_t piece_max = 64 * 1024;         // bytes passed on at once
    std::chrono::microseconds delay{0};        // of each piece
    commit_cut commit = commit_cut::none;
    int commits_before = 0;  // that are left alone
    // Messages of a PostgreSQL server that are passed on; what comes behind them is kept from the
    // client, whose own bytes go on. So the server comes to a certain step, and nobody hears of it.
    std::uint64_t answers_max = never;
    std::string user{};  // answers_max is for connections of this database user
};

class tcp_gate {
public:
    using plan = std::function<gate_fault(std::uint64_t connection)>;  // they count from 0

    // `to`: HOST:PORT or unix:/PATH; it is connected to for each client.
    explicit tcp_gate(std::string to);
    ~tcp_gate();
    tcp_gate(const tcp_gate&) = delete;
    tcp_gate& operator=(const tcp_gate&) = delete;

    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    // Asked for each connection that comes from now on, on the gate's thread.
    void plan_faults(plan faults);
    // Breaks off all connections.
    void cut_all();
    // While held nothing passes: both ends stay connected and their kernels answer.
    void hold(bool held);
    // The connections of now are gone without a word: the client's kernel gets no answer to
    // anything, as if the host had lost its power. Later ones are not affected.
    void vanish();

    [[nodiscard]] std::uint64_t connections() const noexcept { return connections_.load(); }
    // Connections that a fault has cut; and of them those at a COMMIT.
    [[nodiscard]] std::uint64_t cuts() const noexcept { return cuts_.load(); }
    [[nodiscard]] std::uint64_t commit_cuts() const noexcept { return commit_cuts_.load(); }
    // Connections that have come to their answers_max.
    [[nodiscard]] std::uint64_t muted() const noexcept { return muted_.load(); }

private:
    using clock = std::chrono::steady_clock;
    struct direction {
        int from = -1, to = -1;
        std::string waiting{};  // read, not yet passed on
        std::uint64_t passed = 0;
        std::uint64_t cut_after = gate_fault::never;
        bool ended = false;          // nothing more will be read
        const bool* mute = nullptr;  // while it points to true nothing is read
        bool finished = false;       // and the other side has been told
        clock::time_point ready_at{};
    };
    struct connection {
        int client = -1, server = -1;
        gate_fault fault;
        direction up, down;
        pg_wire_watch watch;
        int commits_left = 0;        // to the one that is cut
        bool commit_passed = false;  // its answer is taken and thrown away
        std::string greeting;        // the client's first bytes, while its user is unknown
        pg_message_count answers;    // of the server
        bool mute = false;           // no more of them are passed on
        bool gone = false;           // vanished
        bool closed = false;
    };

    void serve();
    void accept_one();
    void wait_for_work();
    void work_on(connection& one);
    void read_some(connection& one, direction& way);
    void pass_some(connection& one, direction& way);
    void find_commit(connection& one);
    void count_answers(connection& one);
    void cut(connection& one);
    static void close_both(connection& one);
    void wake() const;

    std::string to_;
    int listener_ = -1;
    int wake_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<std::uint64_t> connections_{0}, cuts_{0}, commit_cuts_{0}, muted_{0};

    std::mutex mutex_;  // guards what follows
    plan plan_;
    std::list<connection> all_;
    bool held_ = false;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace tickd::test
