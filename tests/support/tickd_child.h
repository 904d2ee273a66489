// A command of tickd that a test may kill where it stands.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tickd::test {

class tickd_child {
public:
    // Starts `tickd` with these arguments; what it prints is dropped.
    explicit tickd_child(const std::vector<std::string>& arguments);
    ~tickd_child();  // SIGKILL, if it still runs
    tickd_child(const tickd_child&) = delete;
    tickd_child& operator=(const tickd_child&) = delete;

    // SIGKILL; returns once it is gone.
    void kill_hard();
    // Its exit code, or 128 and the signal's number.
    [[nodiscard]] int wait();

private:
    pid_t pid_ = -1;  // -1: it is gone
};

}  // namespace tickd::test
