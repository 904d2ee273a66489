// A PostgreSQL with TimescaleDB that belongs to one test process: unix socket only, in a temporary
// folder that goes when the process does, even if it aborts.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace tickd::test {

enum class stop_mode { fast, immediate };

// Every function throws std::runtime_error when the server does not do what it was told.
class private_cluster {
public:
    // Makes and starts it; returns when it answers. Each setting is `name=value` of
    // postgresql.conf. fsync is off: the server may be killed at will, the machine may not.
    explicit private_cluster(std::vector<std::string> settings = {});
    // A streaming standby of a running one, which it calls by the application name `standby`.
    [[nodiscard]] static std::unique_ptr<private_cluster> standby_of(
        const private_cluster& primary);
    // In `directory`, with these options of cluster.sh start.
    private_cluster(std::string directory, const std::string& options);
    // Stops it and removes its folder.
    ~private_cluster();
    private_cluster(const private_cluster&) = delete;
    private_cluster& operator=(const private_cluster&) = delete;

    // As superuser, to the database `tickd`, which is empty.
    [[nodiscard]] std::string conninfo() const { return conninfo("tickd"); }
    // To another database, or as another role; nobody needs a password.
    [[nodiscard]] std::string conninfo(const std::string& database,
                                       const std::string& user = "postgres") const;
    // Holds the socket, `data` and `log`.
    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

    void stop(stop_mode mode);
    // After stop or kill_hard.
    void start();
    // SIGKILL to the postmaster and everything it started; returns when they are gone.
    void kill_hard();

private:
    void start_first(const std::string& options) const;
    std::string directory_;
};

// One for the whole process, made at first use: for tests that do not stop it.
[[nodiscard]] private_cluster& shared_cluster();

// The connection string of a new, empty database.
[[nodiscard]] std::string fresh_database(private_cluster& cluster);
// The same with every migration applied.
[[nodiscard]] std::string migrated_database(private_cluster& cluster);

// `conninfo` with another user.
[[nodiscard]] std::string as_user(const std::string& conninfo, const std::string& user);

}  // namespace tickd::test
