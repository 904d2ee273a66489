#include "daemon/serve/wake_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace tickd {

wake_signal::wake_signal() : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

wake_signal::~wake_signal() { ::close(event_fd_); }

void wake_signal::wake() noexcept {
    hungry_.store(false, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    // Fails only when the count would overflow, and then the sleeper is awake already.
    [[maybe_unused]] const ssize_t written = ::write(event_fd_, &one, sizeof one);
}

void wake_signal::sleep(std::optional<std::chrono::microseconds> at_most) noexcept {
    pollfd waiting{.fd = event_fd_, .events = POLLIN, .revents = 0};
    if (at_most) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(*at_most);
        const timespec time{.tv_sec = seconds.count(),
                            .tv_nsec = std::chrono::nanoseconds(*at_most - seconds).count()};
        static_cast<void>(::ppoll(&waiting, 1, &time, nullptr));
    } else {
        static_cast<void>(::ppoll(&waiting, 1, nullptr, nullptr));
    }
    std::uint64_t woken = 0;
    [[maybe_unused]] const ssize_t taken = ::read(event_fd_, &woken, sizeof woken);
}

}  // namespace tickd
