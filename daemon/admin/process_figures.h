// What the kernel says of this process.
#pragma once

#include <cstdint>

namespace tickd {

struct process_figures {
    double cpu_s = 0;      // user and system
    double started_s = 0;  // since 1970
    std::uint64_t resident_bytes = 0, virtual_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t open_fds = 0, max_fds = 0;
};

// What cannot be read is 0.
[[nodiscard]] process_figures read_process_figures();

}  // namespace tickd
