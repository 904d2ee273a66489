#include "bench/ingest/rsyslog_daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace bench {

namespace {

constexpr const char* program = "/usr/sbin/rsyslogd";

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// One that was free a moment ago: rsyslog cannot tell which it was given.
std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const bool found = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(probe);
    if (!found) throw std::runtime_error("no port of 127.0.0.1 is free");
    return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool answered =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return answered;
}

// ompgsql takes no whitespace in it: `host=/x user=postgres dbname=y` as a URI.
std::string uri_of(const std::string& conninfo) {
    std::istringstream words(conninfo);
    std::string uri = "postgresql:///", word;
    for (char separator = '?'; words >> word; separator = '&') uri += separator + word;
    return uri;
}

// Nothing is dropped: the queue makes imptcp wait, and a failed transaction is tried for ever. The
// defaults of mid and NULL, which tickd fills in, are the statement's.
std::string configuration(const std::string& conninfo, const std::string& folder,
                          std::uint16_t port) {
    constexpr std::string_view text = R"conf(
module(load="imptcp")
module(load="mmjsonparse")
module(load="ompgsql")
global(workDirectory="@folder@" maxMessageSize="64k")
template(name="tick" type="string" option.stdsql="on" string="INSERT INTO price_telemetry
 (time, symbol, bid, ask, mid, volume, source, metadata) VALUES ('%$!time%', '%$!symbol%', %$!bid%,
 %$!ask%, (%$!bid% + %$!ask%) / 2, nullif('%$!volume%', '')::numeric, nullif('%$!source%', ''),
 nullif('%$!metadata%', '')::jsonb)")
ruleset(name="ticks" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="10000"
        queue.workerThreads="1" queue.timeoutEnqueue="600000") {
    action(type="mmjsonparse" cookie="" useRawMsg="on")
    action(type="ompgsql" conninfo="@conninfo@" template="tick" action.resumeRetryCount="-1")
}
input(type="imptcp" address="127.0.0.1" port="@port@" ruleset="ticks")
)conf";
    std::string filled(text);
    const auto fill = [&](std::string_view name, const std::string& value) {
        for (std::size_t at = 0; (at = filled.find(name, at)) != std::string::npos;) {
            filled.replace(at, name.size(), value);
        }
    };
    fill("@folder@", folder);
    fill("@conninfo@", uri_of(conninfo));
    fill("@port@", std::to_string(port));
    return filled;
}

}  // namespace

bool rsyslog_daemon::installed() {
    return std::filesystem::exists(program) &&
           std::filesystem::exists("/usr/lib/x86_64-linux-gnu/rsyslog/ompgsql.so");
}

rsyslog_daemon::rsyslog_daemon(const std::string& conninfo) : port_(free_port()) {
    const std::string file =
        folder_.write("rsyslog.conf", configuration(conninfo, folder_.file("."), port_));
    // It would start with half of a configuration that it does not understand.
    const auto checked = tickd::test::run_program({program, "-N1", "-f", file});
    if (checked.exit_code != 0) throw std::runtime_error("rsyslogd: " + checked.err);
    const int log = ::open(folder_.file("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    pid_ = tickd::test::start_program({program, "-n", "-f", file, "-i", folder_.file("pid"), "-C"},
                                      log, log);
    ::close(log);
    const bool up = tickd::test::await_condition(
        [&] { return listens(port_) || ::waitpid(pid_, nullptr, WNOHANG) == pid_; });
    if (!up || !listens(port_))
        throw std::runtime_error("rsyslogd does not start:\n" + this->log());
}

rsyslog_daemon::~rsyslog_daemon() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string rsyslog_daemon::log() const {
    std::ifstream file(folder_.file("log"));
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace bench
