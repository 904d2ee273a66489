#include "daemon/admin/status_board.h"

#include "daemon/admin/status_json.h"
#include "daemon/admin/status_reading.h"
#include "daemon/clock.h"

namespace tickd {

void status_board::look() {
    const std::int64_t now_us = monotonic_us();
    history_.note(now_us, unix_now_us(), read_traffic(of_), all_lanes_connected(of_));
    history_.note(now_us, read_latencies(of_));
}

std::string status_board::json() const { return status_json(read_status(of_, history_)); }

}  // namespace tickd
