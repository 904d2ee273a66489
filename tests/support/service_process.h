// The real daemon, started as a service manager starts it: with a notification socket, a watchdog
// and listening sockets of the manager's own.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/daemon_process.h"

namespace tickd::test {

// The manager's end of NOTIFY_SOCKET.
class notify_socket {
public:
    explicit notify_socket(const std::string& path);
    ~notify_socket();
    notify_socket(const notify_socket&) = delete;
    notify_socket& operator=(const notify_socket&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    // Everything that was said so far, in order; line ends within a message as they came.
    [[nodiscard]] const std::vector<std::string>& said();
    // Waits until a message has this line, from the nth message on.
    [[nodiscard]] bool await(std::string_view line, std::size_t from = 0);
    // Whether another message with this line comes within that time.
    [[nodiscard]] bool comes_within(std::string_view line, std::chrono::milliseconds at_most);
    [[nodiscard]] std::size_t times(std::string_view line, std::size_t from = 0);

private:
    std::string path_;
    int socket_ = -1;
    std::vector<std::string> said_;
};

struct service_start {
    std::vector<std::pair<std::string, std::string>> environment;
    // Listening sockets passed on as descriptors 3, 4 ..., and the names they are given.
    std::vector<std::pair<std::string, int>> sockets;
};

class service_process {
public:
    service_process(std::string_view yaml, const service_start& how);
    ~service_process();  // SIGKILL, if it still runs
    service_process(const service_process&) = delete;
    service_process& operator=(const service_process&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] std::string log() const;
    [[nodiscard]] bool await_logged(std::string_view words) const;
    void signal(int number) const;
    // Its exit code, or 128 and the signal's number. Waits for its end.
    [[nodiscard]] int wait();

private:
    temporary_folder folder_;
    pid_t pid_ = -1;
};

// A socket that listens on a port of 127.0.0.1, as a manager makes it; the caller's.
[[nodiscard]] int listen_on_loopback(std::string& address);
// The same at a path.
[[nodiscard]] int listen_on_path(const std::string& path);

}  // namespace tickd::test
