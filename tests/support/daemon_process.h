// The real daemon as a child process of a test: its log is read from a pipe as it comes, and it
// ends with this object, or with the test should that crash.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd::test {

// How long a test waits for anything before it fails. Sanitizers and two busy cores need it.
inline constexpr std::chrono::seconds patience{60};

// Asks `holds` until it says true, with a short pause between. False: it never did.
[[nodiscard]] bool await_condition(const std::function<bool()>& holds,
                                   std::chrono::milliseconds at_most = patience);

struct ended_process {
    int exit_code = -1;  // 128 and the signal's number when one ended it
    std::string out, err;
};

// Starts a program, found by PATH, with stdin closed; it writes to the two descriptors, which stay
// the caller's, and dies with the calling thread. No TICKD_* and PG* variable reaches it.
[[nodiscard]] pid_t start_program(const std::vector<std::string>& words, int out, int err);
// Runs a program to its end. Exit code 127: it could not be started.
[[nodiscard]] ended_process run_program(const std::vector<std::string>& words);
// Runs `tickd` with these arguments to its end.
[[nodiscard]] ended_process run_tickd(const std::vector<std::string>& arguments);

// A folder that goes with this object; everybody may enter it.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string file(std::string_view name) const {
        return path_ + '/' + std::string(name);
    }
    // Writes a file and gives its path.
    [[nodiscard]] std::string write(std::string_view name, std::string_view content) const;

private:
    std::string path_;
};

// `tickd --config FILE serve`, with `yaml` as the file.
class daemon_process {
public:
    // Returns once it is ready, or has ended.
    explicit daemon_process(std::string_view yaml);
    ~daemon_process();  // SIGKILL, if it still runs
    daemon_process(const daemon_process&) = delete;
    daemon_process& operator=(const daemon_process&) = delete;

    [[nodiscard]] bool ready() const { return logged("\"ready\"") != 0; }
    // Where the nth listener listens: HOST:PORT or unix:/PATH. Throws when it does not.
    [[nodiscard]] std::string address(std::size_t listener = 0) const;
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    // Everything it has written to stderr and stdout so far.
    [[nodiscard]] std::string log() const;
    // How often the log has these words so far.
    [[nodiscard]] std::size_t logged(std::string_view words) const;
    // Waits until it has. False: not within `patience`, or the process ended before.
    [[nodiscard]] bool await_logged(std::string_view words);
    // Resident memory now, and the most it ever was.
    [[nodiscard]] std::size_t resident_bytes() const;
    [[nodiscard]] std::size_t resident_peak_bytes() const;

    void terminate() const;  // SIGTERM
    // Waits for its end. Its exit code, or 128 and the signal's number; throws after `patience`.
    [[nodiscard]] int wait();
    // SIGTERM and wait; 0 if it has committed everything.
    [[nodiscard]] int stop();
    void kill_hard();

private:
    void read_log(int pipe);

    temporary_folder folder_;
    pid_t pid_ = -1;
    bool reaped_ = false;
    int exit_code_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable more_;
    std::string log_;
    bool log_ended_ = false;
    std::thread reader_;
};

// What most tests need: a fresh, migrated database of the process's cluster with a daemon on it,
// which writes as the role tickd_ingest.
class ingest_site {
public:
    // `settings`: more YAML. `listeners`: the list's items; default: one on a port of 127.0.0.1.
    explicit ingest_site(std::string_view settings = {}, std::string_view listeners = {});

    [[nodiscard]] pg_connection& sql() noexcept { return sql_; }
    [[nodiscard]] daemon_process& daemon() { return *daemon_; }
    [[nodiscard]] std::string address(std::size_t listener = 0) const {
        return daemon_->address(listener);
    }
    // Waits until the ledger knows of that many records, dead letters among them, then asserts
    // nothing more: the tables are looked at afterwards. False: no more came for `patience`.
    [[nodiscard]] bool await_records(std::size_t count);
    // Another connection, as superuser.
    [[nodiscard]] pg_connection connect_again() const;
    // A daemon like the first, which must have ended.
    void start_again();
    // The daemon's configuration, for another one on the same database.
    [[nodiscard]] const std::string& yaml() const noexcept { return yaml_; }

private:
    std::string conninfo_;
    pg_connection sql_;
    std::string yaml_;
    std::unique_ptr<daemon_process> daemon_;
};

// The configuration of a daemon on `conninfo`.
[[nodiscard]] std::string daemon_yaml(const std::string& conninfo, std::string_view settings = {},
                                      std::string_view listeners = {});

// Brings the schema of `conninfo` up by `tickd db migrate`; throws unless that says 0.
void migrate_by_command(const std::string& conninfo);

// Several texts at once into a table of text columns, in their order. Any byte but NUL, \x01 and
// \x02; nothing is NULL.
void copy_texts(pg_connection& sql, const std::string& table,
                const std::vector<std::vector<std::optional<std::string>>>& rows);

}  // namespace tickd::test
