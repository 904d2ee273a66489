// Ends a wait for the server from another thread: libpq's own calls included.
#pragma once

#include <mutex>

struct pg_conn;  // libpq's PGconn

namespace tickd {

class link_cutter {
public:
    link_cutter() = default;
    ~link_cutter() { let_go(); }
    link_cutter(const link_cutter&) = delete;
    link_cutter& operator=(const link_cutter&) = delete;

    // The thread of the connection: from now on cut() means this one, which it must have just
    // opened. Cut at once when cut() was called before.
    void hold(pg_conn* connection) noexcept;
    void let_go() noexcept;

    // Any thread: what waits for the server fails soon, and so does every connection held later.
    void cut() noexcept;

private:
    std::mutex mutex_;
    // Of our own: libpq closes its descriptor when it likes, and this one names the same socket.
    int descriptor_ = -1;
    bool cut_ = false;
};

}  // namespace tickd
