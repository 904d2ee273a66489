#include "daemon/send/stop_signal.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <system_error>

namespace tickd {

stop_signal::stop_signal() {
    sigset_t wanted{};
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    fd_ = unique_fd{::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC)};
    if (!fd_) throw std::system_error{errno, std::generic_category(), "signalfd"};
    pthread_sigmask(SIG_BLOCK, &wanted, &before_);
}

stop_signal::~stop_signal() {
    (void)take();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool stop_signal::pending() const { return wait(std::chrono::milliseconds{0}); }

bool stop_signal::wait(std::chrono::milliseconds at_most) const {
    pollfd polled{fd_.get(), POLLIN, 0};
    return ::poll(&polled, 1, static_cast<int>(at_most.count())) == 1;
}

bool stop_signal::take() {
    bool any = false;
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) any = true;
    return any;
}

}  // namespace tickd
