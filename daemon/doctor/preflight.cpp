#include "daemon/doctor/preflight.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>

#include "daemon/address.h"
#include "daemon/clock.h"
#include "daemon/doctor/server_checks.h"
#include "daemon/progress_bar.h"
#include "daemon/tls/tls.h"

namespace tickd {

namespace {

// Beside the sessions: listeners, lanes with their databases, log, files while they are read.
constexpr std::uint64_t files_beside_sessions = 64;
constexpr std::uint64_t files_of_a_lane = 8;

constexpr std::int64_t day_s = 86'400;
// Enough for who renews by hand; those that are renewed by themselves are renewed earlier.
constexpr std::int64_t certificate_warning_s = 21 * day_s;

bool is_loopback(const address& where) {
    return where.kind != address::family::tcp || where.host == "localhost" || where.host == "::1" ||
           where.host.starts_with("127.");
}

}  // namespace

health_check check_listeners(const config& settings) {
    std::string open, in_clear;
    std::size_t on_network = 0;
    const auto add = [](std::string& to, const std::string& what) {
        to += (to.empty() ? "" : ", ") + what;
    };
    for (const listener_config& each : settings.listeners) {
        const auto where = parse_address(each.address);
        if (!where || is_loopback(*where)) continue;
        ++on_network;
        if (each.auth == listener_auth::none) add(open, each.address);
        if (each.auth == listener_auth::token && each.tls_certificate.empty()) {
            add(in_clear, each.address);
        }
    }
    std::string problems;
    if (!open.empty()) {
        problems = open +
                   ": whoever reaches it may send as any producer; set auth, bind it to 127.0.0.1"
                   " or a unix socket, or let a firewall choose the senders";
    }
    if (!in_clear.empty()) {
        problems += (problems.empty() ? "" : "; ") + in_clear +
                    ": tokens go over the network as they are; set tls_certificate and tls_key";
    }
    if (!problems.empty()) return {check_status::warn, "listeners", problems};
    return {check_status::ok, "listeners",
            on_network == 0 ? std::format("all {} on this machine alone", settings.listeners.size())
                            : std::format("{} on the network ask who is sending", on_network)};
}

health_check check_certificates(const config& settings, std::int64_t now_s) {
    std::string bad, soon;
    std::size_t count = 0;
    const auto add = [](std::string& to, const std::string& what) {
        to += (to.empty() ? "" : "; ") + what;
    };
    for (const listener_config& each : settings.listeners) {
        if (each.tls_certificate.empty()) continue;
        ++count;
        const auto usable = make_tls_server({.certificate = each.tls_certificate,
                                             .key = each.tls_key,
                                             .client_ca = each.tls_client_ca,
                                             .minimum = each.tls_min_version});
        if (!usable) {
            add(bad, usable.error());
            continue;
        }
        const auto end_s = certificate_end_s(each.tls_certificate);
        if (!end_s) {
            add(bad, end_s.error());
        } else if (*end_s <= now_s) {
            add(bad, each.tls_certificate + " has expired");
        } else if (*end_s - now_s < certificate_warning_s) {
            add(soon, std::format("{} expires in {} days", each.tls_certificate,
                                  (*end_s - now_s) / day_s));
        }
    }
    if (!bad.empty()) return {check_status::fail, "certificates", bad};
    if (!soon.empty()) return {check_status::warn, "certificates", soon};
    return {check_status::ok, "certificates", std::format("{} good", count)};
}

health_check check_files(const config& settings, std::uint64_t files_max) {
    std::uint64_t wanted = files_beside_sessions + settings.lanes.count * files_of_a_lane;
    for (const listener_config& each : settings.listeners) wanted += each.sessions_max;
    const std::string counts = std::format("{} files may be open, up to {} are wanted",
                                           format_count(files_max), format_count(wanted));
    if (files_max >= wanted) return {check_status::ok, "files", counts};
    return {
        check_status::warn, "files",
        counts + "; raise the limit (ulimit -n, LimitNOFILE=) or lower listeners[].sessions_max"};
}

std::uint64_t files_of_this_process() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

health_check check_spool_space(const config& settings) {
    const std::string& folder = settings.spool.folder;
    if (folder.empty()) {
        return {check_status::ok, "spool-space",
                "no spool: while the database is away, senders wait"};
    }
    // The folder is made by the daemon's start; until then the one above it tells.
    std::filesystem::path at = folder;
    std::error_code none;
    while (!std::filesystem::exists(at, none) && at.has_relative_path()) at = at.parent_path();
    struct statvfs space{};
    if (::statvfs(at.c_str(), &space) != 0) {
        return {check_status::fail, "spool-space",
                std::format("{}: {}", at.string(), std::strerror(errno))};
    }
    const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    const std::uint64_t wanted = settings.spool.max_bytes * settings.lanes.count;
    const std::string words = std::format("{} free for {}, the lanes may fill {}",
                                          format_bytes(free_bytes), folder, format_bytes(wanted));
    if (free_bytes >= wanted) return {check_status::ok, "spool-space", words};
    return {check_status::warn, "spool-space",
            words +
                "; what waits in it already counts as taken; else make room or lower"
                " spool.max_bytes"};
}

std::vector<health_check> check_machine(const config& settings) {
    return {check_listeners(settings), check_certificates(settings, unix_now_us() / 1'000'000),
            check_files(settings, files_of_this_process()), check_spool_space(settings)};
}

std::vector<health_check> check_server(pg_connection& connection) {
    std::vector<health_check> checks{check_durability(connection), check_tuning(connection),
                                     check_autovacuum(connection), check_clock(connection)};
    for (health_check& each : check_health(connection, embedded_migrations())) {
        checks.push_back(std::move(each));
    }
    checks.push_back(check_extra_indexes(connection));
    checks.push_back(check_chunk_size(connection));
    return checks;
}

}  // namespace tickd
