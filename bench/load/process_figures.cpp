#include "bench/load/process_figures.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <format>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bench {

namespace {

struct process_stat {
    pid_t parent = 0;
    double own_ticks = 0, reaped_ticks = 0;
};

std::optional<process_stat> stat_of(pid_t process) {
    std::ifstream file(std::format("/proc/{}/stat", process));
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');  // a name may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(name_end + 1));
    process_stat found;
    std::string skipped;
    // The name was the second field; the parent is the fourth, utime to cstime are 14 to 17.
    fields >> skipped >> found.parent;
    for (int field = 5; field < 14; ++field) fields >> skipped;
    std::array<double, 4> ticks{};
    for (double& each : ticks) fields >> each;
    found.own_ticks = ticks[0] + ticks[1];
    found.reaped_ticks = ticks[2] + ticks[3];
    return found;
}

double ticks_a_second() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

}  // namespace

double cpu_seconds_of(pid_t process) {
    const auto found = stat_of(process);
    if (!found) throw std::runtime_error("no such process");
    return found->own_ticks / ticks_a_second();
}

double cpu_seconds_of_family(pid_t process) {
    const auto parent = stat_of(process);
    if (!parent) throw std::runtime_error("no such process");
    double ticks = parent->own_ticks + parent->reaped_ticks;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t child = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), child).ec != std::errc{}) {
            continue;
        }
        const auto found = stat_of(child);
        if (found && found->parent == process) ticks += found->own_ticks;
    }
    return ticks / ticks_a_second();
}

}  // namespace bench
