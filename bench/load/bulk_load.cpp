#include "bench/load/bulk_load.h"

#include <algorithm>
#include <chrono>

#include "bench/load/acked_connection.h"

namespace bench {

bulk_result send_all(const bulk_load& what) {
    // As much as one call hands over: the kernel copies it in one go when there is room.
    constexpr std::size_t piece_bytes = 256UL * 1024;
    const auto begun = std::chrono::steady_clock::now();
    acked_connection to(what.address, what.producer);
    std::string_view left = what.lines;
    while (to.acked() < what.last_seq) {
        if (!left.empty()) {
            left.remove_prefix(to.send_some(left.substr(0, std::min(left.size(), piece_bytes))));
        }
        to.wait(!left.empty());
        to.receive();
        if (what.progress) what.progress(to.acked());
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    return {.seconds = passed.count(), .rejected = to.rejected()};
}

}  // namespace bench
