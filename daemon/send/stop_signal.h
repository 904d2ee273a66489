// SIGINT and SIGTERM as a descriptor to poll: no handler, and no gap between asking and waiting.
#pragma once

#include <signal.h>

#include <chrono>

#include "daemon/send/unique_fd.h"

namespace tickd {

// While one lives, both signals are blocked in the thread that made it (and in threads it starts)
// and arrive here. One at a time. Throws std::system_error when the system gives no descriptor.
class stop_signal {
public:
    stop_signal();
    stop_signal(const stop_signal&) = delete;
    stop_signal& operator=(const stop_signal&) = delete;
    // Restores the thread's mask; a signal that came and was not taken is dropped.
    ~stop_signal();

    // Readable while a signal waits to be taken.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    // Whether a signal waits; it goes on waiting.
    [[nodiscard]] bool pending() const;
    // Waits for one, at most so long; as pending otherwise.
    bool wait(std::chrono::milliseconds at_most) const;
    // Takes those that wait, so that a further one can be told from them. False: none did.
    bool take();

private:
    sigset_t before_{};
    unique_fd fd_;
};

}  // namespace tickd
