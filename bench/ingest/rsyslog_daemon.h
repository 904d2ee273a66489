// rsyslog as a way into the table: lines over TCP, JSON parsed, one INSERT a line, transactions of
// up to 10,000. Debian's packages rsyslog and rsyslog-pgsql.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/support/daemon_process.h"

namespace bench {

class rsyslog_daemon {
public:
    [[nodiscard]] static bool installed();

    // Starts it on a port of 127.0.0.1, writing to the mission's table of `conninfo`. Throws
    // std::runtime_error when it does not listen.
    explicit rsyslog_daemon(const std::string& conninfo);
    ~rsyslog_daemon();  // SIGKILL
    rsyslog_daemon(const rsyslog_daemon&) = delete;
    rsyslog_daemon& operator=(const rsyslog_daemon&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    // What it has complained of.
    [[nodiscard]] std::string log() const;

private:
    tickd::test::temporary_folder folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace bench
