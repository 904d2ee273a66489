// What a lane has received and cannot say where it is.
#pragma once

#include <cstdint>
#include <thread>

#include "daemon/serve/counters.h"

namespace tickd {

// Figures are read one after the other while they grow: a sum that is off is looked at again, and
// one that stays off is a fault.
[[nodiscard]] inline std::int64_t steady_unaccounted(const lane_counters& of) noexcept {
    constexpr int looks = 100;
    std::int64_t off = 0;
    for (int look = 0; look < looks; ++look) {
        off = records_unaccounted(of);
        if (off == 0) break;
        std::this_thread::yield();  // to the one that was stopped between two of them
    }
    return off;
}

}  // namespace tickd
