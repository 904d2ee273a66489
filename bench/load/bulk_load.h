// Sends a run of lines as fast as the daemon takes them, and waits until the last is acked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

struct bulk_load {
    std::string address;     // HOST:PORT
    std::string_view lines;  // each with its `seq` and its newline
    std::uint64_t last_seq = 0;
    std::string producer = "bench";
    // Hears the newest acked sequence, some ten times a second or more often.
    std::function<void(std::uint64_t)> progress{};
};

struct bulk_result {
    double seconds = 0;  // from before the connection is made to the last ack
    std::uint64_t rejected = 0;
};

// Throws as acked_connection does.
[[nodiscard]] bulk_result send_all(const bulk_load& what);

}  // namespace bench
