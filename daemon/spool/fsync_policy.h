// When the spool asks the disk to keep what it was given.
#pragma once

#include <cstdint>

namespace tickd {

enum class fsync_policy : std::uint8_t {
    always,  // sync() returns once the blocks would survive a loss of power
    never,   // they survive the end of the process, not that of the machine
};

}  // namespace tickd
