// Where the fault tests happen: a database, a daemon on it that is found at one place however
// often it is started, producers, and the comparison of the tables with what they were told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/acked_producer.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

namespace tickd::test {

// The part of a conninfo that leads to a port of this machine, unencrypted.
[[nodiscard]] std::string through_port(std::uint16_t port);

class chaos_site {
public:
    // A migrated database of `cluster`. `route`: what the daemon's conninfo says in place of the
    // cluster's host, such as through_port; empty: the same. `stall_limit`: of a
    // database that is silent. `more`: further groups of its settings, as YAML.
    explicit chaos_site(private_cluster& cluster, const std::string& route = {},
                        const std::string& stall_limit = "30s", const std::string& more = {});

    [[nodiscard]] daemon_process& daemon() { return *daemon_; }
    // After the one before has ended.
    void start_daemon();
    // unix:/PATH, the same for every daemon of this site.
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }
    // A new connection as superuser.
    [[nodiscard]] pg_connection sql() const { return connect(conninfo_); }

    // Begin to send at once; their names are feed-0 and so on. `through`: an address in place of
    // the daemon's.
    void add_producers(int count, double rate_of_each = 0, const std::string& through = {},
                       const std::string& ack = "committed");
    void add_producer(producer_plan plan);
    [[nodiscard]] std::vector<std::unique_ptr<acked_producer>>& producers() noexcept {
        return producers_;
    }
    [[nodiscard]] std::uint64_t acked() const;
    // Waits until that many more records are acked than when it was called.
    [[nodiscard]] bool await_acked(std::uint64_t more) const;

    // The end of every test: all producers finish, then the tables must hold what they sent: each
    // record once, in its table, and nothing else. Fails the test otherwise.
    void finish_and_compare();
    // From now on the comparison looks there: another server has taken over.
    void moved_to(const private_cluster& cluster);

private:
    void compare() const;
    temporary_folder folder_;
    std::string conninfo_, address_, yaml_;
    std::unique_ptr<daemon_process> daemon_;
    std::vector<std::unique_ptr<acked_producer>> producers_;
};

}  // namespace tickd::test
