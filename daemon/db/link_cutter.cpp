#include "daemon/db/link_cutter.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace tickd {

void link_cutter::hold(pg_conn* connection) noexcept {
    const std::scoped_lock lock(mutex_);
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::fcntl(PQsocket(connection), F_DUPFD_CLOEXEC, 0);
    if (cut_ && descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

void link_cutter::let_go() noexcept {
    const std::scoped_lock lock(mutex_);
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void link_cutter::cut() noexcept {
    const std::scoped_lock lock(mutex_);
    cut_ = true;
    // Wakes whoever polls or reads it.
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace tickd
