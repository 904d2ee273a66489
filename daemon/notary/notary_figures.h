// What the notary says of itself. Written by its thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace tickd {

struct notary_figures {
    std::atomic<bool> stopped{false};          // for good: something did not hold
    std::atomic<std::int64_t> log_records{0};  // of the newest head it has seen
    std::atomic<std::int64_t> signed_records{0};
    std::atomic<std::int64_t> signed_at_us{0};  // since 1970; 0: not by this process
    std::atomic<std::uint64_t> failures{0};     // rounds that could not be finished
};

}  // namespace tickd
