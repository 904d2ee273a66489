#include "tests/support/acked_producer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <utility>
#include <variant>

#include "ingest/session_messages.h"
#include "tests/support/daemon_process.h"

namespace tickd::test {

namespace {

// Short, so that an end is noticed; everything else wakes the poll.
constexpr int look_around_ms = 5;

int try_connect(const std::string& where) {
    sockaddr_storage to{};
    socklen_t size = 0;
    if (where.starts_with("unix:")) {
        sockaddr_un unix_path{};
        unix_path.sun_family = AF_UNIX;
        std::strncpy(unix_path.sun_path, where.c_str() + 5, sizeof unix_path.sun_path - 1);
        std::memcpy(&to, &unix_path, size = sizeof unix_path);
    } else {
        const std::size_t colon = where.rfind(':');
        sockaddr_in port{};
        port.sin_family = AF_INET;
        port.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
        ::inet_pton(AF_INET, where.substr(0, colon).c_str(), &port.sin_addr);
        std::memcpy(&to, &port, size = sizeof port);
    }
    const int made = ::socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&to), size) == 0) return made;
    ::close(made);
    return -1;
}

}  // namespace

record_fate fate_of(std::uint64_t seq) noexcept {
    if (seq % 97 == 0) return record_fate::dead_letter;
    return seq % 10 == 3 ? record_fate::event : record_fate::tick;
}

void append_record(const std::string& producer, std::uint64_t seq, std::string& to) {
    switch (fate_of(seq)) {
        case record_fate::tick:
            std::format_to(std::back_inserter(to),
                           "{{\"seq\":{0},\"symbol\":\"{1}\",\"bid\":{0},\"ask\":1}}\n", seq,
                           producer);
            return;
        case record_fate::event:
            std::format_to(std::back_inserter(to),
                           "{{\"seq\":{0},\"agent_id\":\"{1}\",\"action_type\":\"t\","
                           "\"action_payload\":{0}}}\n",
                           seq, producer);
            return;
        case record_fate::dead_letter:
            std::format_to(std::back_inserter(to), "{{\"seq\":{},\"symbol\":\"\"}}\n", seq);
            return;
    }
}

acked_producer::acked_producer(producer_plan plan) : plan_(std::move(plan)) {
    sent_.store(plan_.sent_before);
    thread_ = std::thread([this] { run(); });
}

acked_producer::~acked_producer() { abandon(); }

void acked_producer::abandon() {
    over_.store(true);
    if (thread_.joinable()) thread_.join();
}

bool acked_producer::finish() {
    finishing_.store(true);
    std::uint64_t known = acked();
    auto give_up = std::chrono::steady_clock::now() + patience;
    return await_condition(
               [&] {
                   if (acked() != known) {
                       known = acked();
                       give_up = std::chrono::steady_clock::now() + patience;
                   }
                   // Only once welcomed does it know what it has sent: it stops within one look
                   // around.
                   return (known == sent() && welcomes() > 0) ||
                          std::chrono::steady_clock::now() > give_up;
               },
               std::chrono::hours(1)) &&
           known == sent();
}

std::string acked_producer::complaints() const {
    const std::scoped_lock lock(mutex_);
    return complaints_;
}

void acked_producer::complain(const std::string& what) {
    const std::scoped_lock lock(mutex_);
    complaints_ += std::format("{}: {}\n", plan_.name, what);
}

void acked_producer::run() {
    while (!over_.load()) {
        if (!connect()) {
            static_cast<void>(::poll(nullptr, 0, look_around_ms));
            continue;
        }
        talk();
        ::close(std::exchange(socket_, -1));
    }
}

bool acked_producer::connect() {
    socket_ = try_connect(plan_.address);
    if (socket_ < 0) return false;
    welcomed_ = told_to_go_ = false;
    outgoing_ = std::format("{{\"type\":\"hello\",\"producer\":\"{}\",\"ack\":\"{}\"}}\n",
                            plan_.name, plan_.ack);
    outgoing_sent_ = 0;
    received_.clear();
    return true;
}

void acked_producer::talk() {
    while (!over_.load() && !told_to_go_) {
        if (welcomed_ && outgoing_sent_ == outgoing_.size()) fill_outgoing();
        const bool more = outgoing_sent_ < outgoing_.size();
        pollfd socket{.fd = socket_,
                      .events = static_cast<short>(more ? POLLIN | POLLOUT : POLLIN),
                      .revents = 0};
        if (::poll(&socket, 1, look_around_ms) <= 0) continue;
        if (more && (socket.revents & POLLOUT) != 0 && !send_some()) return;
        if ((socket.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive()) return;
    }
}

// The number up to which the rate lets it go now.
std::uint64_t acked_producer::allowed() const {
    if (plan_.rate <= 0) return plan_.records_max;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
    return std::min(plan_.records_max, static_cast<std::uint64_t>(passed.count() * plan_.rate));
}

void acked_producer::fill_outgoing() {
    outgoing_.clear();
    outgoing_sent_ = 0;
    // What was sent before a break is sent again in any case.
    const std::uint64_t newest = sent_.load();
    const std::uint64_t last = std::min(acked_.load() + plan_.unacked_max,
                                        finishing_.load() ? newest : std::max(newest, allowed()));
    for (; next_ <= last && outgoing_.size() < 64UL * 1024; ++next_) {
        if (plan_.append) {
            plan_.append(next_, outgoing_);
        } else {
            append_record(plan_.name, next_, outgoing_);
        }
        if (next_ > sent_.load()) sent_.store(next_);
    }
}

bool acked_producer::send_some() {
    const ssize_t sent = ::send(socket_, outgoing_.data() + outgoing_sent_,
                                outgoing_.size() - outgoing_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    outgoing_sent_ += static_cast<std::size_t>(sent);
    return true;
}

bool acked_producer::receive() {
    std::array<char, 16 * 1024> bytes;
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    received_.append(bytes.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = received_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
        hear(std::string_view(received_).substr(begin, end - begin));
    }
    received_.erase(0, begin);
    return true;
}

void acked_producer::hear(std::string_view line) {
    const auto message = ingest::parse_daemon_message(line);
    if (!message) return complain("not a message: " + std::string(line));
    if (const auto* said = std::get_if<ingest::welcome_message>(&*message)) {
        welcomed_ = true;
        if (said->resume_after < acked_.load()) {
            complain(std::format("told to resume after {}, but {} was acked", said->resume_after,
                                 acked_.load()));
        }
        settled(said->resume_after);
        next_ = said->resume_after + 1;
        ++welcomes_;
    } else if (const auto* acked = std::get_if<ingest::ack_message>(&*message)) {
        settled(acked->seq);
    } else if (std::holds_alternative<ingest::reject_message>(*message)) {
        ++rejected_;
    } else if (std::holds_alternative<ingest::error_message>(*message)) {
        told_to_go_ = true;
    }
}

void acked_producer::settled(std::uint64_t seq) {
    if (seq > sent_.load()) {
        complain(std::format("{} is acked, but {} was the last sent", seq, sent_.load()));
    }
    if (seq > acked_.load()) acked_.store(seq);
}

}  // namespace tickd::test
