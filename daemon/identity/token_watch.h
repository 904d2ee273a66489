// Keeps the daemon's list of good tokens as the database has it: a thread and a connection of its
// own, which listens for changes.
//
// While the database is away the last list stays in effect: tokens expire by it, but what is
// revoked meanwhile is not heard of. Without any list nobody is let in.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/db/pg_connection.h"
#include "daemon/identity/token_list.h"
#include "daemon/send/unique_fd.h"

namespace tickd {

class token_watch {
public:
    // `changed` is called on the watch's thread whenever a token may have ceased to be good. Throws
    // std::system_error when the process is out of descriptors.
    token_watch(pg_target target, std::function<void()> changed);
    ~token_watch();
    token_watch(const token_watch&) = delete;
    token_watch& operator=(const token_watch&) = delete;

    void start();
    // Any thread. Null: the database has not been reached yet.
    [[nodiscard]] std::shared_ptr<const token_list> tokens() const;

private:
    void run();
    [[nodiscard]] std::expected<void, pg_error> watch(pg_connection& connection);
    [[nodiscard]] std::expected<void, pg_error> read(pg_connection& connection);
    // Until the socket has something (-1: there is none), `at_most_ms` are over or the end has
    // come, which it says with false.
    [[nodiscard]] bool sleep(int socket, int at_most_ms);
    [[nodiscard]] int until_expiry_ms() const;

    const pg_target target_;
    const std::function<void()> changed_;
    unique_fd end_;  // an eventfd
    mutable std::mutex mutex_;
    std::shared_ptr<const token_list> tokens_;
    std::thread thread_;
};

}  // namespace tickd
