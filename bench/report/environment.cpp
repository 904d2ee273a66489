#include "bench/report/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <format>
#include <fstream>
#include <string_view>

#include "daemon/progress_bar.h"
#include "tickd_version.h"

namespace bench {

namespace {

// The text behind `key` in the first line of the file that begins with it.
std::string line_value(const char* path, std::string_view key, std::string_view separators) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) continue;
        const std::size_t begin = line.find_first_not_of(separators, key.size());
        if (begin == std::string::npos) return {};
        return line.substr(begin, line.find_last_not_of("\" ") - begin + 1);
    }
    return "unknown";
}

// The file system that `folder` lies on, from the longest mount point above it.
std::string file_system_of(const std::string& folder) {
    std::ifstream mounts("/proc/self/mounts");
    std::string device, point, type, rest, found = "unknown";
    std::size_t longest = 0;
    const std::string path = std::filesystem::weakly_canonical(folder).string() + '/';
    while (mounts >> device >> point >> type && std::getline(mounts, rest)) {
        const std::string prefix = point == "/" ? point : point + '/';
        // Of two on one point the later covers the earlier.
        if (path.starts_with(prefix) && point.size() >= longest) {
            longest = point.size();
            found = type;
        }
    }
    return found;
}

std::string first_words(const char* path, int count) {
    std::ifstream file(path);
    std::string text, word;
    while (count-- > 0 && file >> word) text += (text.empty() ? "" : " ") + word;
    return text;
}

}  // namespace

facts environment_facts(const std::string& folder) {
    utsname kernel{};
    ::uname(&kernel);
    const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    facts all{
        {"CPU", line_value("/proc/cpuinfo", "model name", "\t: ")},
        {"cores", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
        {"memory", tickd::format_bytes(memory)},
        {"load before", first_words("/proc/loadavg", 3)},
        {"kernel", std::format("{} {}", kernel.sysname, kernel.release)},
        {"system", line_value("/etc/os-release", "PRETTY_NAME=", "\"")},
        {"tickd", std::string(tickd::version_text)},
        {"compiler", TICKD_COMPILER},
        {"flags", TICKD_COMPILER_FLAGS},
    };
    if (!folder.empty()) all.emplace_back("file system", file_system_of(folder));
    return all;
}

}  // namespace bench
