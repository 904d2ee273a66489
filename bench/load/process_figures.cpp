#include "bench/load/process_figures.h"

#include <unistd.h>

#include <format>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bench {

double cpu_seconds_of(pid_t process) {
    std::ifstream file(std::format("/proc/{}/stat", process));
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');  // a name may hold anything
    if (name_end == std::string::npos) throw std::runtime_error("no such process");
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    // utime and stime are the 14th and 15th field; the name was the second.
    for (int field = 3; field < 14; ++field) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace bench
