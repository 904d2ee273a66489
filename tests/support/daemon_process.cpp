#include "tests/support/daemon_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

extern char** environ;

namespace tickd::test {

namespace {

// The environment without what would change what tickd or libpq do.
std::vector<std::string> clean_environment() {
    std::vector<std::string> kept;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry{*each};
        if (!entry.starts_with("TICKD_") && !entry.starts_with("PG")) kept.emplace_back(entry);
    }
    return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> words_of_tickd(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{TICKD_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

struct pipe_ends {
    pipe_ends() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
        read = ends[0];
        write = ends[1];
    }
    int read = -1, write = -1;
};

std::string read_all(int from) {
    std::string text;
    std::array<char, 4096> part{};
    ssize_t got = 0;
    while ((got = ::read(from, part.data(), part.size())) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(from);
    return text;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::size_t memory_figure(pid_t pid, std::string_view name) {
    std::ifstream status(std::format("/proc/{}/status", pid));
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with(name)) return std::stoul(line.substr(name.size())) * 1024;
    }
    throw std::runtime_error("no such figure: " + std::string(name));
}

}  // namespace

bool await_condition(const std::function<bool()>& holds, std::chrono::milliseconds at_most) {
    const auto give_up = std::chrono::steady_clock::now() + at_most;
    // Grows from 1 to 50 ms: quick answers cost little, slow ones do not keep the server busy.
    long pause_ns = 1'000'000;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        const timespec pause{.tv_sec = 0, .tv_nsec = pause_ns};
        static_cast<void>(::ppoll(nullptr, 0, &pause, nullptr));
        pause_ns = std::min(2 * pause_ns, 50'000'000L);
    }
    return true;
}

pid_t start_program(const std::vector<std::string>& words, int out, int err) {
    std::vector<std::string> texts = words;
    std::vector<std::string> variables = clean_environment();
    const std::vector<char*> argv = pointers_to(texts);
    const std::vector<char*> envp = pointers_to(variables);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child > 0) return child;
    // From here on only what a fork of a threaded process may call.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
}

ended_process run_program(const std::vector<std::string>& words) {
    const pipe_ends out, err;
    const pid_t child = start_program(words, out.write, err.write);
    ::close(out.write);
    ::close(err.write);
    ended_process ended;
    std::thread other([&] { ended.err = read_all(err.read); });
    ended.out = read_all(out.read);
    other.join();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ended.exit_code = code_of(status);
    return ended;
}

ended_process run_tickd(const std::vector<std::string>& arguments) {
    return run_program(words_of_tickd(arguments));
}

temporary_folder::temporary_folder() {
    std::string name = "/tmp/tickd-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
    ::chmod(path_.c_str(), 0755);
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::write(std::string_view name, std::string_view content) const {
    const std::string path = file(name);
    std::ofstream to(path, std::ios::binary);
    to << content;
    if (!to.flush()) throw std::runtime_error("cannot write " + path);
    return path;
}

daemon_process::daemon_process(std::string_view yaml) {
    const pipe_ends log;
    pid_ = start_program(words_of_tickd({"--config", folder_.write("tickd.yaml", yaml), "serve"}),
                         log.write, log.write);
    ::close(log.write);
    reader_ = std::thread([this, from = log.read] { read_log(from); });
    static_cast<void>(await_logged("\"ready\""));
}

daemon_process::~daemon_process() {
    if (!reaped_) kill_hard();
    reader_.join();
}

void daemon_process::read_log(int pipe) {
    std::array<char, 4096> part{};
    ssize_t got = 0;
    while ((got = ::read(pipe, part.data(), part.size())) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0) continue;
        const std::scoped_lock lock(mutex_);
        log_.append(part.data(), static_cast<std::size_t>(got));
        more_.notify_all();
    }
    ::close(pipe);
    const std::scoped_lock lock(mutex_);
    log_ended_ = true;
    more_.notify_all();
}

std::string daemon_process::address(std::size_t listener) const {
    constexpr std::string_view words = "listening on ";
    const std::string text = log();
    std::size_t at = text.find(words);
    while (at != std::string::npos && listener-- > 0) at = text.find(words, at + 1);
    if (at == std::string::npos) throw std::runtime_error("does not listen:\n" + text);
    at += words.size();
    return text.substr(at, text.find_first_of("\" \n", at) - at);
}

std::string daemon_process::log() const {
    const std::scoped_lock lock(mutex_);
    return log_;
}

std::size_t daemon_process::logged(std::string_view words) const {
    const std::scoped_lock lock(mutex_);
    std::size_t times = 0;
    for (std::size_t at = 0; (at = log_.find(words, at)) != std::string::npos; ++at) ++times;
    return times;
}

bool daemon_process::await_logged(std::string_view words) {
    std::unique_lock lock(mutex_);
    const auto found = [&] { return log_.find(words) != std::string::npos; };
    more_.wait_for(lock, patience, [&] { return log_ended_ || found(); });
    return found();
}

std::size_t daemon_process::resident_bytes() const { return memory_figure(pid_, "VmRSS:"); }
std::size_t daemon_process::resident_peak_bytes() const { return memory_figure(pid_, "VmHWM:"); }

void daemon_process::terminate() const {
    if (!reaped_) ::kill(pid_, SIGTERM);
}

int daemon_process::wait() {
    if (reaped_) return exit_code_;
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd gone{.fd = handle, .events = POLLIN, .revents = 0};
    const auto limit = std::chrono::milliseconds(patience);
    const int ready = ::poll(&gone, 1, static_cast<int>(limit.count()));
    ::close(handle);
    if (ready != 1) throw std::runtime_error("the daemon does not end:\n" + log());
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid failed");
    reaped_ = true;
    exit_code_ = code_of(status);
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return log_ended_; });
    return exit_code_;
}

int daemon_process::stop() {
    terminate();
    return wait();
}

void daemon_process::kill_hard() {
    if (reaped_) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    reaped_ = true;
    exit_code_ = code_of(status);
}

std::string daemon_yaml(const std::string& conninfo, std::string_view settings,
                        std::string_view listeners) {
    // No test finds another's port taken.
    const std::string_view admin =
        settings.find("admin:") == std::string_view::npos ? "admin:\n  address: none\n" : "";
    return std::format("database:\n  url: \"{}\"\nlisteners:\n{}\nlog:\n  format: json\n{}{}\n",
                       conninfo, listeners.empty() ? "  - address: 127.0.0.1:0" : listeners, admin,
                       settings);
}

void migrate_by_command(const std::string& conninfo) {
    const temporary_folder folder;
    const std::string file = folder.write("tickd.yaml", daemon_yaml(conninfo));
    const ended_process done = run_tickd({"--config", file, "db", "migrate"});
    if (done.exit_code != 0) throw std::runtime_error("db migrate: " + done.err);
}

ingest_site::ingest_site(std::string_view settings, std::string_view listeners)
    : conninfo_(fresh_database(shared_cluster())),
      sql_(connect(conninfo_)),
      yaml_(daemon_yaml(as_user(conninfo_, "tickd_ingest"), settings, listeners)) {
    migrate_by_command(conninfo_);
    start_again();
}

void ingest_site::start_again() {
    daemon_ = std::make_unique<daemon_process>(yaml_);
    if (!daemon_->ready()) throw std::runtime_error("not ready:\n" + daemon_->log());
}

bool ingest_site::await_records(std::size_t count) {
    // A busy machine is slow, but it moves: only a standstill is a failure.
    std::size_t known = 0;
    const auto settled = [&] {
        return std::stoul(one(sql_,
                              "SELECT coalesce(sum(ticks + events + dead_letters), 0)"
                              " FROM tickd.batch_ledger"));
    };
    while (known < count) {
        const std::size_t before = known;
        if (!await_condition([&] { return (known = settled()) > before; })) return false;
    }
    return true;
}

pg_connection ingest_site::connect_again() const { return connect(conninfo_); }

void copy_texts(pg_connection& sql, const std::string& table,
                const std::vector<std::vector<std::optional<std::string>>>& rows) {
    const auto must = [](const auto& done) {
        if (!done) throw std::runtime_error(to_text(done.error()));
    };
    must(sql.copy_begin("COPY " + table +
                        " FROM STDIN (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02',"
                        " ESCAPE E'\\x02')"));
    std::string part;
    for (const auto& row : rows) {
        for (const auto& value : row) {
            if (&value != &row.front()) part += '\x01';
            if (value) part.append("\x02").append(*value).append("\x02");
        }
        part += '\n';
        if (part.size() > 1'000'000) {
            must(sql.copy_put(part));
            part.clear();
        }
    }
    must(sql.copy_put(part));
    must(sql.copy_end());
}

}  // namespace tickd::test
