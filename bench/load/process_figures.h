// What the kernel knows of a process.
#pragma once

#include <sys/types.h>

namespace bench {

// Time on a processor so far, user's and system's. Throws std::runtime_error when it is gone.
[[nodiscard]] double cpu_seconds_of(pid_t process);
// The same with that of its children, those it has already reaped included; not of theirs.
[[nodiscard]] double cpu_seconds_of_family(pid_t process);

}  // namespace bench
