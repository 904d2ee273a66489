// Sends lines without a hello: nothing comes back, so all that is known at the end is that the
// daemon read everything and closed the connection after it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/progress_bar.h"
#include "daemon/send/connection.h"
#include "daemon/send/line_source.h"
#include "daemon/send/stop_signal.h"

namespace tickd {

enum class send_end : std::uint8_t {
    complete,         // everything was sent, and the daemon closed after it
    interrupted,      // a signal came: what was sent ended with a whole line
    abandoned,        // a second signal came: the last line or the daemon's close may be missing
    input_failed,     // an input broke off; what came before was sent
    connection_lost,  // the daemon closed or vanished before everything was sent
};

struct send_report {
    send_end end = send_end::complete;
    source_fault input_fault = source_fault::unreadable;  // when input_failed
    std::string detail;                                   // for people; empty when complete
    std::uint64_t records = 0;  // lines handed to the system, blank ones not counted
    std::uint64_t bytes = 0;    // as they went over the wire
    std::chrono::duration<double> elapsed{};
};

struct plain_send {
    line_source& source;
    connection& peer;
    stop_signal& stop;
    progress_bar& bar;
    std::optional<double> rate;  // records per second; nothing: as fast as the daemon reads
};

// Sends until the inputs end or something else does, then half-closes and waits for the daemon's
// close. The first signal stops at the next line's end; a second one gives up at once.
[[nodiscard]] send_report send_plain(const plain_send& job);

// `sent 335,931 lines, 68.2 MiB in 1.23 s (273,115 lines/s)`.
[[nodiscard]] std::string summary(const send_report& report);

}  // namespace tickd
