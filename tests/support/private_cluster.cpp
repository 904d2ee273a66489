#include "tests/support/private_cluster.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <format>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "daemon/db/migrator.h"
#include "tests/support/pg_query.h"

namespace tickd::test {

namespace {

// Runs dev/lib/cluster.sh, whose words appear in the test's own output.
void run_script(const std::string& arguments) {
    const std::string command =
        std::format("bash '{}/dev/lib/cluster.sh' {} >/dev/null", TICKD_SOURCE_DIR, arguments);
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

std::string new_folder() {
    std::string name = "/tmp/tickd-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    return name;
}

// The processes that `parent` started and that still live.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream status(entry.path() / "status");
        std::string line;
        while (std::getline(status, line)) {
            if (line.starts_with("PPid:") && std::stoi(line.substr(5)) == parent) {
                children.push_back(std::stoi(name));
            }
        }
    }
    return children;
}

// Kills the process and waits for its end; a process that has ended already is fine.
void kill_and_wait(pid_t process) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (handle < 0) return;
    ::kill(process, SIGKILL);
    pollfd gone{handle, POLLIN, 0};
    const int ready = ::poll(&gone, 1, 30'000);
    ::close(handle);
    if (ready != 1) throw std::runtime_error(std::format("process {} does not die", process));
}

}  // namespace

private_cluster::private_cluster(std::vector<std::string> settings) : directory_(new_folder()) {
    std::string options;
    for (const std::string& setting : settings) options += std::format(" -c '{}'", setting);
    start_first(options);
}

private_cluster::private_cluster(std::string directory, const std::string& options)
    : directory_(std::move(directory)) {
    start_first(options);
}

std::unique_ptr<private_cluster> private_cluster::standby_of(const private_cluster& primary) {
    return std::make_unique<private_cluster>(new_folder(), " --standby-of " + primary.directory());
}

void private_cluster::start_first(const std::string& options) const {
    run_script(std::format("start {} --fast --while {}{}", directory_, ::getpid(), options));
}

private_cluster::~private_cluster() {
    try {
        stop(stop_mode::immediate);
        std::filesystem::remove_all(directory_);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s is left behind: %s\n", directory_.c_str(), error.what());
    }
}

std::string private_cluster::conninfo(const std::string& database, const std::string& user) const {
    return std::format("host={} user={} dbname={}", directory_, user, database);
}

void private_cluster::stop(stop_mode mode) {
    run_script(
        std::format("stop {} {}", directory_, mode == stop_mode::fast ? "fast" : "immediate"));
}

void private_cluster::start() { run_script("start " + directory_); }

void private_cluster::kill_hard() {
    std::ifstream file(directory_ + "/data/postmaster.pid");
    pid_t postmaster = 0;
    if (!(file >> postmaster)) throw std::runtime_error("the cluster is not up");
    // Stopped first: it would start the next backend while we look for the last.
    ::kill(postmaster, SIGSTOP);
    const std::vector<pid_t> children = children_of(postmaster);
    for (const pid_t child : children) ::kill(child, SIGKILL);
    // It must go before its children are waited for: they are reaped only after it.
    kill_and_wait(postmaster);
    for (const pid_t child : children) kill_and_wait(child);
}

private_cluster& shared_cluster() {
    static private_cluster cluster;
    return cluster;
}

std::string fresh_database(private_cluster& cluster) {
    static std::atomic<int> made{0};
    const std::string name = std::format("test_{}_{}", ::getpid(), ++made);
    pg_connection connection = connect(cluster.conninfo("postgres"));
    // template0: TimescaleDB's workers look into template1, which then cannot be copied.
    run(connection, "CREATE DATABASE " + name + " TEMPLATE template0");
    return cluster.conninfo(name);
}

std::string migrated_database(private_cluster& cluster) {
    std::string conninfo = fresh_database(cluster);
    pg_connection connection = connect(conninfo);
    const auto done = migrate(connection, embedded_migrations(), [](const auto&) {});
    if (!done) throw std::runtime_error(to_text(done.error()));
    return conninfo;
}

std::string as_user(const std::string& conninfo, const std::string& user) {
    return conninfo + " user=" + user;  // The later one counts.
}

}  // namespace tickd::test
