// The plain sender against a socket of this process that stands for the daemon.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/address.h"
#include "daemon/progress_bar.h"
#include "daemon/send/connection.h"
#include "daemon/send/line_source.h"
#include "daemon/send/pacer.h"
#include "daemon/send/plain_sender.h"
#include "daemon/send/stop_signal.h"
#include "tests/unit/temporary_folder.h"

namespace {

using namespace std::chrono_literals;
using tests::temporary_folder;
using namespace tickd;

// Listens on a unix socket in a folder of its own.
class listening {
public:
    listening() : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        const std::string path = folder_.path() / "socket";
        std::memcpy(at.sun_path, path.data(), path.size());
        REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
        REQUIRE(::listen(fd_.get(), 1) == 0);
        where.kind = address::family::unix_socket;
        where.path = path;
    }

    [[nodiscard]] unique_fd accept() const {
        unique_fd peer{::accept(fd_.get(), nullptr, nullptr)};
        REQUIRE(static_cast<bool>(peer));
        return peer;
    }

    address where;

private:
    temporary_folder folder_;
    unique_fd fd_;
};

std::string read_to_end(int fd) {
    std::string all;
    std::array<char, 65536> bytes{};
    for (ssize_t size = 1; size > 0;) {
        size = ::read(fd, bytes.data(), bytes.size());
        if (size > 0) all.append(bytes.data(), static_cast<std::size_t>(size));
    }
    return all;
}

connection connect(const address& where, stop_signal& stop) {
    auto opened = connection::open(where, stop, 5s);
    REQUIRE(opened.has_value());
    return *std::move(opened);
}

struct sending {
    explicit sending(const address& where) : peer{connect(where, stop)} {}

    send_report send(const std::string& input, std::optional<double> rate = std::nullopt) {
        auto source = line_source::open({input}, stop.fd());
        REQUIRE(source.has_value());
        progress_bar bar{-1, false, "lines"};
        return send_plain(
            {.source = *source, .peer = peer, .stop = stop, .bar = bar, .rate = rate});
    }

    stop_signal stop;
    connection peer;
};

std::string numbered_lines(int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
    return text;
}

TEST_CASE("what is sent arrives whole, and the end waits for the daemon's close", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    const std::string text = numbered_lines(50'000);
    sending client{daemon.where};
    unique_fd peer = daemon.accept();
    auto received = std::async(std::launch::async, [peer = std::move(peer)]() mutable {
        std::string all = read_to_end(peer.get());
        peer = unique_fd{};
        return all;
    });
    const send_report report = client.send(folder.file("a", text + "\n{\"last\":1}"));
    CHECK(report.end == send_end::complete);
    CHECK(report.detail.empty());
    CHECK(report.records == 50'001);
    const std::string all = received.get();
    CHECK(all == text + "\n{\"last\":1}\n");
    CHECK(report.bytes == all.size());
}

TEST_CASE("a daemon that closes early is a lost connection", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    sending client{daemon.where};
    {
        const unique_fd closed = daemon.accept();
    }
    const send_report report = client.send(folder.file("a", numbered_lines(200'000)));
    CHECK(report.end == send_end::connection_lost);
    CHECK(report.records < 200'000);
    CHECK_FALSE(report.detail.empty());
}

TEST_CASE("damage in the input: what came before is sent", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    sending client{daemon.where};
    unique_fd peer = daemon.accept();
    auto received = std::async(std::launch::async, [peer = std::move(peer)]() mutable {
        return read_to_end(std::exchange(peer, unique_fd{}).get());
    });
    const send_report report = client.send(folder.file("a.gz", "no gzip\n"));
    CHECK(report.end == send_end::input_failed);
    CHECK(report.input_fault == source_fault::bad_data);
    CHECK(report.records == 0);
    CHECK(received.get().empty());
}

// What a signal leaves is whole lines, though the daemon had stopped reading in the middle of one.
TEST_CASE("a signal ends sending at a line's end", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    const std::string input = folder.file("a", numbered_lines(500'000));
    sending client{daemon.where};
    unique_fd peer = daemon.accept();
    auto received = std::async(std::launch::async, [peer = std::move(peer)]() mutable {
        // The sender is stuck once nothing more arrives and nobody reads: its signal comes then.
        std::array<char, 1000> first{};
        const ssize_t size = ::read(peer.get(), first.data(), first.size());
        ::kill(::getpid(), SIGINT);
        std::string all(first.data(), static_cast<std::size_t>(size));
        all += read_to_end(peer.get());
        peer = unique_fd{};
        return all;
    });
    const send_report report = client.send(input);
    CHECK(report.end == send_end::interrupted);
    CHECK(report.detail == "interrupted");
    const std::string all = received.get();
    REQUIRE_FALSE(all.empty());
    CHECK(all.back() == '\n');
    CHECK(report.bytes == all.size());
    CHECK(report.records == static_cast<std::uint64_t>(std::ranges::count(all, '\n')));
    CHECK(report.records < 500'000);
}

TEST_CASE("a second signal gives up although nobody reads", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    const std::string input = folder.file("a", numbered_lines(500'000));
    sending client{daemon.where};
    const unique_fd peer = daemon.accept();
    // The first is taken when sending begins to wait; the sender asks for no other way to know.
    auto signals = std::async(std::launch::async, [&] {
        for (int i = 0; i < 2; ++i) {
            ::kill(::getpid(), SIGINT);
            while (client.stop.pending()) ::poll(nullptr, 0, 1);
        }
    });
    const send_report report = client.send(input);
    signals.get();
    CHECK(report.end == send_end::abandoned);
    CHECK(report.records < 500'000);
}

TEST_CASE("a signal ends waiting for the next turn", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    const std::string input = folder.file("a", numbered_lines(10));
    sending client{daemon.where};
    unique_fd peer = daemon.accept();
    auto received = std::async(std::launch::async, [peer = std::move(peer)]() mutable {
        std::array<char, 1000> first{};
        const ssize_t size = ::read(peer.get(), first.data(), first.size());
        ::kill(::getpid(), SIGINT);
        std::string all(first.data(), static_cast<std::size_t>(size));
        all += read_to_end(peer.get());
        peer = unique_fd{};
        return all;
    });
    const send_report report = client.send(input, 0.001);
    CHECK(report.end == send_end::interrupted);
    CHECK(report.records == 1);
    CHECK(received.get() == "{\"n\":0}\n");
}

TEST_CASE("records leave by an absolute schedule", "[send]") {
    const pacer::clock::time_point start{1h};
    const pacer paced{100, start};
    CHECK(paced.allowed(start) == 1);
    CHECK(paced.allowed(start + 9ms) == 1);
    CHECK(paced.allowed(start + 10ms + 1us) == 2);
    // Whatever was late, after an hour it is what the rate says.
    CHECK(paced.allowed(start + 1h) == 360'001);
    CHECK(paced.wait(1, start) == 11ms);
    CHECK(paced.wait(1, start + 5ms) >= 5ms);
    CHECK(paced.wait(1, start + 1s) == 1ms);
    CHECK(paced.wait(1000, start) == 1s);
}

TEST_CASE("at a rate it takes its time", "[send]") {
    const listening daemon;
    const temporary_folder folder;
    sending client{daemon.where};
    unique_fd peer = daemon.accept();
    auto received = std::async(std::launch::async, [peer = std::move(peer)]() mutable {
        std::string all = read_to_end(peer.get());
        peer = unique_fd{};
        return all;
    });
    const send_report report = client.send(folder.file("a", numbered_lines(101)), 1000);
    CHECK(report.end == send_end::complete);
    CHECK(report.records == 101);
    CHECK(report.elapsed >= 100ms);
    CHECK(received.get() == numbered_lines(101));
}

TEST_CASE("nobody listens: the message says what to do", "[send]") {
    const temporary_folder folder;
    stop_signal stop;
    address where;
    where.kind = address::family::unix_socket;
    where.path = folder.path() / "none";
    const auto missing = connection::open(where, stop, 1s);
    REQUIRE_FALSE(missing.has_value());
    CHECK_FALSE(missing.error().stopped);
    CHECK(missing.error().message.contains("tickd serve"));

    where = {.kind = address::family::tcp, .host = "127.0.0.1", .port = 1, .path = {}};
    const auto refused = connection::open(where, stop, 1s);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.contains("127.0.0.1:1"));
}

TEST_CASE("the summary", "[send]") {
    send_report report;
    report.records = 335'931;
    report.bytes = 71'513'000;
    report.elapsed = 1.23s;
    CHECK(summary(report) == "sent 335,931 lines, 68.2 MiB in 1.23 s (273,115 lines/s)");
    report.elapsed = 0s;
    CHECK(summary(report).ends_with("(0.00 lines/s)"));
}

}  // namespace
