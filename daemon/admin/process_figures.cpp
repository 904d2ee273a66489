#include "daemon/admin/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace tickd {

namespace {

// Seconds since 1970 at which the machine came up.
[[nodiscard]] double boot_time_s() {
    std::ifstream stat("/proc/stat");
    for (std::string line; std::getline(stat, line);) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return 0;
}

// Of /proc/self/stat, behind the command's name, which may hold anything: state is [0].
[[nodiscard]] std::vector<std::string> stat_fields() {
    std::ifstream in("/proc/self/stat");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::size_t end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) return {};
    std::istringstream rest(text.substr(end_of_name + 1));
    return {std::istream_iterator<std::string>(rest), {}};
}

}  // namespace

process_figures read_process_figures() {
    // Places in proc_pid_stat(5), less the three before `state`.
    constexpr std::size_t utime = 11, stime = 12, threads = 17, start = 19, virtual_size = 20,
                          resident = 21;
    process_figures figures;
    const auto fields = stat_fields();
    if (fields.size() > resident) {
        const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
        const auto seconds = [&](std::size_t field) {
            return static_cast<double>(std::stoull(fields[field])) / ticks_a_second;
        };
        static const double booted_s = boot_time_s();
        figures.cpu_s = seconds(utime) + seconds(stime);
        figures.started_s = booted_s + seconds(start);
        figures.threads = std::stoull(fields[threads]);
        figures.virtual_bytes = std::stoull(fields[virtual_size]);
        figures.resident_bytes =
            std::stoull(fields[resident]) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    std::error_code failed;
    for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
         at.increment(failed)) {
        ++figures.open_fds;
    }
    if (figures.open_fds > 0) --figures.open_fds;  // the one that reads the folder
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) figures.max_fds = files.rlim_cur;
    return figures;
}

}  // namespace tickd
