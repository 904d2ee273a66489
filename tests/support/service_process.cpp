#include "tests/support/service_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace tickd::test {

namespace {

constexpr int first_passed = 3;

[[nodiscard]] sockaddr_un at_path(const std::string& path) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strncpy(where.sun_path, path.c_str(), sizeof where.sun_path - 1);
    return where;
}

void bind_to(int socket, const sockaddr* where, socklen_t size) {
    if (socket < 0 || ::bind(socket, where, size) != 0) throw std::runtime_error("bind failed");
}

// Only a few calls are allowed between fork and exec: no formatting among them.
void write_number(char* to, pid_t number) {
    std::array<char, 16> digits{};
    std::size_t count = 0;
    for (; number != 0; number /= 10) digits[count++] = static_cast<char>('0' + number % 10);
    while (count != 0) *to++ = digits[--count];
    *to = '\0';
}

[[nodiscard]] bool has_line(const std::string& message, std::string_view line) {
    std::istringstream lines(message);
    for (std::string each; std::getline(lines, each);) {
        if (each == line) return true;
    }
    return false;
}

}  // namespace

notify_socket::notify_socket(const std::string& path)
    : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const sockaddr_un where = at_path(path);
    bind_to(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where);
}

notify_socket::~notify_socket() { ::close(socket_); }

const std::vector<std::string>& notify_socket::said() {
    std::array<char, 4096> message{};
    for (;;) {
        const ssize_t size = ::recv(socket_, message.data(), message.size(), 0);
        if (size < 0) return said_;
        said_.emplace_back(message.data(), static_cast<std::size_t>(size));
    }
}

std::size_t notify_socket::times(std::string_view line, std::size_t from) {
    const auto& all = said();
    std::size_t found = 0;
    for (std::size_t i = from; i < all.size(); ++i) found += has_line(all[i], line) ? 1U : 0U;
    return found;
}

bool notify_socket::await(std::string_view line, std::size_t from) {
    return await_condition([&] { return times(line, from) != 0; });
}

bool notify_socket::comes_within(std::string_view line, std::chrono::milliseconds at_most) {
    const std::size_t from = said().size();
    return await_condition([&] { return times(line, from) != 0; }, at_most);
}

service_process::service_process(std::string_view yaml, const service_start& how) {
    std::vector<std::string> words{TICKD_BINARY, "--config", folder_.write("tickd.yaml", yaml),
                                   "serve"};
    std::vector<std::string> variables;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry{*each};
        if (!entry.starts_with("TICKD_") && !entry.starts_with("PG")) variables.emplace_back(entry);
    }
    for (const auto& [name, value] : how.environment) {
        variables.push_back(std::format("{}={}", name, value));
    }
    std::string names;
    for (const auto& [name, fd] : how.sockets) names += (names.empty() ? "" : ":") + name;
    constexpr std::string_view pid_variable = "LISTEN_PID=";
    if (!how.sockets.empty()) {
        variables.push_back(std::format("LISTEN_FDS={}", how.sockets.size()));
        variables.push_back("LISTEN_FDNAMES=" + names);
        variables.push_back(std::string(pid_variable) + std::string(16, ' '));
    }
    std::vector<char*> argv, envp;
    for (std::string& each : words) argv.push_back(each.data());
    for (std::string& each : variables) envp.push_back(each.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    char* const pid_text =
        how.sockets.empty() ? nullptr : variables.back().data() + pid_variable.size();
    const int log = ::open(folder_.file("log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    // Out of the way of the places they are to have.
    std::vector<int> passed;
    for (const auto& [name, fd] : how.sockets) {
        passed.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 100));
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        for (std::size_t i = 0; i < passed.size(); ++i) {
            ::dup2(passed[i], first_passed + static_cast<int>(i));
        }
        if (pid_text != nullptr) write_number(pid_text, ::getpid());
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(log);
    for (const int each : passed) ::close(each);
    if (!await_logged("\"ready\"")) throw std::runtime_error("not ready:\n" + this->log());
}

service_process::~service_process() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string service_process::log() const {
    std::ifstream in(folder_.file("log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool service_process::await_logged(std::string_view words) const {
    return await_condition([&] { return log().contains(words); });
}

void service_process::signal(int number) const { ::kill(pid_, number); }

int service_process::wait() {
    int status = 0;
    const bool ended = await_condition([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) throw std::runtime_error("the daemon does not end:\n" + log());
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int listen_on_loopback(std::string& address) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind_to(made, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    socklen_t size = sizeof where;
    ::getsockname(made, reinterpret_cast<sockaddr*>(&where), &size);
    address = std::format("127.0.0.1:{}", ntohs(where.sin_port));
    if (::listen(made, 128) != 0) throw std::runtime_error("listen failed");
    return made;
}

int listen_on_path(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un where = at_path(path);
    bind_to(made, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    if (::listen(made, 128) != 0) throw std::runtime_error("listen failed");
    return made;
}

}  // namespace tickd::test
