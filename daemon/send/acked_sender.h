// The reference client of the acked protocol: sends numbered lines, keeps them until they are
// acked, and after every break of the connection says hello again and goes on where the daemon
// says. It ends when everything is settled, or when it is told not to go on.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/address.h"
#include "daemon/progress_bar.h"
#include "daemon/send/line_source.h"
#include "daemon/send/stop_signal.h"
#include "daemon/tls/tls.h"
#include "ingest/hello.h"

namespace tickd {

enum class acked_end : std::uint8_t {
    settled,       // everything is acked
    interrupted,   // a signal came before that
    input_failed,  // an input broke off; what came before is settled
    refused,       // the daemon will not have this producer: bad hello, unauthorized, superseded
    gave_up,       // no connection came about within `give_up_after`
};

struct acked_report {
    acked_end end = acked_end::settled;
    source_fault input_fault = source_fault::unreadable;  // when input_failed
    std::string detail;                                   // for people; empty when settled
    std::uint64_t settled = 0;    // lines the daemon has acked, rejected ones among them
    std::uint64_t rejected = 0;   // lines it has dead-lettered
    std::uint64_t resent = 0;     // lines sent more than once
    std::uint64_t skipped = 0;    // lines that were settled before this run began
    std::uint64_t unsettled = 0;  // lines without an answer
    std::uint64_t connects = 0;
    std::chrono::duration<double> elapsed{};
};

struct acked_send {
    line_source& source;
    address where;
    ingest::hello greeting;
    stop_signal& stop;
    progress_bar& bar;
    std::optional<double> rate;  // records per second; nothing: as fast as the daemon reads
    std::chrono::seconds give_up_after{60};  // without a connection; 0: never
    SSL_CTX* tls = nullptr;                  // of make_tls_client; null: none
};

[[nodiscard]] acked_report send_acked(const acked_send& job);

// `settled 335,931 lines (12 rejected, 0 resent) in 1.23 s (273,115 lines/s)`.
[[nodiscard]] std::string summary(const acked_report& report);

}  // namespace tickd
