#include "tests/support/tcp_gate.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tickd::test {

namespace {

constexpr int socket_kind = SOCK_STREAM | SOCK_CLOEXEC;
// A startup message is a few hundred bytes.
constexpr std::size_t greeting_bytes_max = 4096;

// Connected and non-blocking; -1: nobody there.
int connect_to(const std::string& where) {
    int made = -1;
    int failed = 0;
    if (where.starts_with("unix:")) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, where.c_str() + 5, sizeof to.sun_path - 1);
        made = ::socket(AF_UNIX, socket_kind, 0);
        failed = ::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    } else {
        const std::size_t colon = where.rfind(':');
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
        ::inet_pton(AF_INET, where.substr(0, colon).c_str(), &to.sin_addr);
        made = ::socket(AF_INET, socket_kind, 0);
        failed = ::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    if (failed == 0) return made;
    ::close(made);
    return -1;
}

void no_delay(int socket) {
    const int on = 1;  // Of a unix socket it fails, and is not needed.
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The kernel throws away whatever comes for the socket before it answers it.
void drop_everything(int socket) {
    sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
    const sock_fprog program{.len = 1, .filter = &nothing};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
        throw std::runtime_error("SO_ATTACH_FILTER failed");
    }
}

}  // namespace

tcp_gate::tcp_gate(std::string to) : to_(std::move(to)) {
    listener_ = ::socket(AF_INET, socket_kind | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        throw std::runtime_error("the gate cannot listen");
    }
    port_ = ntohs(at.sin_port);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { serve(); });
}

tcp_gate::~tcp_gate() {
    {
        const std::scoped_lock lock(mutex_);
        over_ = true;
    }
    wake();
    thread_.join();
    for (connection& one : all_) close_both(one);
    ::close(listener_);
    ::close(wake_);
}

std::string tcp_gate::address() const { return "127.0.0.1:" + std::to_string(port_); }

void tcp_gate::wake() const { static_cast<void>(::eventfd_write(wake_, 1)); }

void tcp_gate::plan_faults(plan faults) {
    const std::scoped_lock lock(mutex_);
    plan_ = std::move(faults);
}

void tcp_gate::cut_all() {
    {
        const std::scoped_lock lock(mutex_);
        for (connection& one : all_) cut(one);
    }
    wake();
}

void tcp_gate::hold(bool held) {
    {
        const std::scoped_lock lock(mutex_);
        held_ = held;
    }
    wake();
}

void tcp_gate::vanish() {
    {
        const std::scoped_lock lock(mutex_);
        for (connection& one : all_) {
            drop_everything(one.client);
            one.gone = true;
        }
    }
    wake();
}

void tcp_gate::serve() {
    for (;;) {
        wait_for_work();
        const std::scoped_lock lock(mutex_);
        if (over_) return;
        std::erase_if(all_, [](const connection& one) { return one.closed; });
        if (held_) continue;
        accept_one();
        for (connection& one : all_) work_on(one);
    }
}

// Sleeps until a socket is ready, a delay is over, or somebody has something to say.
void tcp_gate::wait_for_work() {
    std::vector<pollfd> polled{{.fd = wake_, .events = POLLIN, .revents = 0}};
    auto wake_at = clock::time_point::max();
    {
        const std::scoped_lock lock(mutex_);
        if (!held_) polled.push_back({.fd = listener_, .events = POLLIN, .revents = 0});
        const auto add = [&](const direction& way) {
            if (!way.waiting.empty()) {
                if (way.ready_at > clock::now()) {
                    wake_at = std::min(wake_at, way.ready_at);
                } else {
                    polled.push_back({.fd = way.to, .events = POLLOUT, .revents = 0});
                }
            } else if (!way.ended && !(way.mute != nullptr && *way.mute)) {
                polled.push_back({.fd = way.from, .events = POLLIN, .revents = 0});
            }
        };
        for (const connection& one : all_) {
            if (held_ || one.gone || one.closed) continue;
            add(one.up);
            add(one.down);
        }
    }
    timespec limit{};
    const timespec* at_most = nullptr;
    if (wake_at != clock::time_point::max()) {
        const auto left =
            std::max<std::int64_t>(std::chrono::nanoseconds(wake_at - clock::now()).count(), 0);
        limit = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
        at_most = &limit;
    }
    static_cast<void>(::ppoll(polled.data(), polled.size(), at_most, nullptr));
    eventfd_t ignored = 0;
    static_cast<void>(::eventfd_read(wake_, &ignored));
}

void tcp_gate::accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const std::uint64_t number = connections_.fetch_add(1);
    connection& one = all_.emplace_back();
    one.client = client;
    if (plan_) one.fault = plan_(number);
    one.commits_left = one.fault.commits_before + 1;
    one.server = connect_to(to_);
    if (one.server < 0) {
        close_both(one);
        return;
    }
    no_delay(one.client);
    no_delay(one.server);
    one.up = {.from = client, .to = one.server, .cut_after = one.fault.cut_after_sent};
    one.down = {.from = one.server, .to = client, .cut_after = one.fault.cut_after_received};
    one.down.mute = &one.mute;
}

void tcp_gate::work_on(connection& one) {
    for (direction* const way : {&one.up, &one.down}) {
        if (one.gone || one.closed) return;
        read_some(one, *way);
        if (one.closed) return;
        pass_some(one, *way);
    }
    if (!one.closed && one.up.finished && one.down.finished) close_both(one);
}

void tcp_gate::read_some(connection& one, direction& way) {
    if (way.ended || !way.waiting.empty() || (way.mute != nullptr && *way.mute)) return;
    std::array<char, 64 * 1024> bytes;
    const std::size_t most = std::min(bytes.size(), one.fault.piece_max);
    const ssize_t got = ::recv(way.from, bytes.data(), most, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return close_both(one);
    way.ended = got == 0;
    way.waiting.assign(bytes.data(), static_cast<std::size_t>(got));
    if (one.fault.delay.count() > 0) way.ready_at = clock::now() + one.fault.delay;
    if (one.fault.answers_max != gate_fault::never) {
        if (&way == &one.up) {
            if (one.greeting.size() < greeting_bytes_max) one.greeting += way.waiting;
        } else if (one.greeting.contains(std::string("user\0", 5) + one.fault.user + '\0')) {
            count_answers(one);
        }
    }
    if (one.fault.commit == commit_cut::none || way.waiting.empty()) return;
    if (&way == &one.up) {
        find_commit(one);
    } else {
        const bool answered = one.watch.server_sends(way.waiting);
        if (!one.commit_passed) return;
        way.waiting.clear();
        if (answered) {
            ++commit_cuts_;
            cut(one);
        }
    }
}

void tcp_gate::count_answers(connection& one) {
    std::string& bytes = one.down.waiting;
    const std::size_t left = one.fault.answers_max - one.answers.messages();
    const std::size_t end = one.answers.take(bytes, left);
    if (one.answers.messages() < one.fault.answers_max) return;
    bytes.resize(end);
    one.mute = true;
    ++muted_;
}

void tcp_gate::find_commit(connection& one) {
    const std::optional<std::size_t> end = one.watch.client_sends(one.up.waiting);
    if (!end || --one.commits_left != 0) return;
    if (one.fault.commit == commit_cut::answered) {
        one.commit_passed = true;
        return;
    }
    if (one.fault.commit == commit_cut::at_once) {
        // The kernel takes it: nothing of a small message waits on a connection of this machine.
        one.up.waiting.resize(*end);
        static_cast<void>(
            ::send(one.server, one.up.waiting.data(), one.up.waiting.size(), MSG_NOSIGNAL));
    }
    ++commit_cuts_;
    cut(one);
}

void tcp_gate::pass_some(connection& one, direction& way) {
    if (!way.waiting.empty() && clock::now() >= way.ready_at) {
        const std::uint64_t most =
            std::min<std::uint64_t>(way.waiting.size(), way.cut_after - way.passed);
        const ssize_t sent = ::send(way.to, way.waiting.data(), most, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return close_both(one);
        if (sent > 0) {
            way.passed += static_cast<std::uint64_t>(sent);
            way.waiting.erase(0, static_cast<std::size_t>(sent));
        }
        if (way.passed >= way.cut_after) return cut(one);
    }
    if (way.ended && way.waiting.empty() && !std::exchange(way.finished, true)) {
        ::shutdown(way.to, SHUT_WR);
    }
}

void tcp_gate::cut(connection& one) {
    if (one.closed || one.gone) return;
    ++cuts_;
    close_both(one);
}

// With a reset, as a broken link ends.
void tcp_gate::close_both(connection& one) {
    if (std::exchange(one.closed, true)) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    for (const int socket : {one.client, one.server}) {
        if (socket < 0) continue;
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(socket);
    }
}

}  // namespace tickd::test
