// How the session thread wakes the writer: a flag for "I have nothing to do" and an eventfd to
// sleep on. The flag keeps the session thread from a system call per block while the writer is
// busy anyway.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

namespace tickd {

class wake_signal {
public:
    // Throws std::system_error when the process is out of descriptors.
    wake_signal();
    ~wake_signal();
    wake_signal(const wake_signal&) = delete;
    wake_signal& operator=(const wake_signal&) = delete;

    // Any thread: the sleeper wakes, now or as soon as it sleeps.
    void wake() noexcept;
    // Any thread but the sleeper's: whether it said it has nothing to do. Taken by asking.
    [[nodiscard]] bool take_hunger() noexcept {
        return hungry_.load(std::memory_order_relaxed) &&
               hungry_.exchange(false, std::memory_order_acq_rel);
    }

    // Sleeper only.
    void hunger() noexcept { hungry_.store(true, std::memory_order_release); }
    // Returns when woken or when the time is over; without a time, when woken.
    void sleep(std::optional<std::chrono::microseconds> at_most) noexcept;

private:
    int event_fd_;
    std::atomic<bool> hungry_{false};
};

}  // namespace tickd
