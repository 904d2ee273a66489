// Room for the database. SQL does not tell what is free, so that is asked of the file system, where
// the server runs on this machine and tells its folder.
#include <sys/statvfs.h>

#include <cstring>
#include <format>

#include "daemon/db/health.h"
#include "daemon/progress_bar.h"

namespace tickd {

namespace {

// A checkpoint at full rate writes more WAL than this before it can recycle any.
constexpr std::uint64_t free_bytes_min = 1024ULL * 1024 * 1024;
constexpr std::uint64_t free_percent_low = 10;

bool is_local(std::string_view host) {
    return host.empty() || host.starts_with('/') || host == "localhost" || host == "::1" ||
           host.starts_with("127.");
}

}  // namespace

health_check check_disk(pg_connection& connection) {
    const auto size = connection.query("SELECT pg_database_size(current_database())");
    if (!size) return not_checked("disk", size.error());
    const std::string used = std::format(
        "the database takes {}", format_bytes(static_cast<std::uint64_t>(size->integer(0, 0))));
    const auto unknown = [&](std::string_view why) {
        return health_check{check_status::note, "disk",
                            std::format("{}; what is free is unknown: {}", used, why)};
    };

    if (!is_local(connection.host())) return unknown("the server is on another machine");
    // The view leaves out what the role may not see, where SHOW would be an error.
    const auto folder = connection.query(
        "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'");
    if (!folder) return not_checked("disk", folder.error());
    if (folder->size() == 0) return unknown("the role is not in pg_read_all_settings");

    const std::string path(folder->at(0, 0));
    struct statvfs space{};
    if (::statvfs(path.c_str(), &space) != 0) {
        return unknown(std::format("{}: {}", path, std::strerror(errno)));
    }
    // f_bavail: the server's user gets none of root's reserve.
    const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    const std::uint64_t all_bytes = std::uint64_t{space.f_blocks} * space.f_frsize;
    const std::uint64_t percent =
        space.f_blocks == 0 ? 0 : std::uint64_t{space.f_bavail} * 100 / space.f_blocks;
    check_status status = check_status::ok;
    if (percent < free_percent_low) status = check_status::warn;
    if (free_bytes < free_bytes_min) status = check_status::fail;
    return {status, "disk",
            std::format("{}; {} of {} free ({}%) in {}", used, format_bytes(free_bytes),
                        format_bytes(all_bytes), percent, path)};
}

}  // namespace tickd
