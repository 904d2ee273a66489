// The compactor: a thread that merges segments and keeps candles and latest prices.
//
// Readers never wait for it and are never wrong without it: what it has not reached they compute
// from rows. It looks every second, takes what is fresh, and merges what has collected.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/compact/compaction.h"
#include "daemon/config/config.h"

namespace tickd {

// Written by the compactor's thread, read by whoever observes.
struct compactor_counters {
    std::atomic<std::uint64_t> rounds{0}, folds{0}, segments_taken{0}, segments_made{0}, ticks{0},
        candles{0}, failures{0};
    std::atomic<std::int64_t> last_done_us{0};  // since 1970; of a round that left nothing fresh
    std::atomic<bool> connected{false};
};

class compactor {
public:
    // Null when segments.compact is off.
    [[nodiscard]] static std::unique_ptr<compactor> make(const config& settings);
    ~compactor();  // Ends the thread where it is: what it was doing is rolled back.
    compactor(const compactor&) = delete;
    compactor& operator=(const compactor&) = delete;

    void start();
    [[nodiscard]] const compactor_counters& counters() const noexcept { return counters_; }

private:
    explicit compactor(const config& settings);
    void run();
    [[nodiscard]] std::expected<void, pg_error> round();
    [[nodiscard]] bool wait_for_next();
    [[nodiscard]] bool ending();
    void count(const compaction_step& done);

    compaction work_;
    compactor_counters counters_;
    std::int64_t mixed_due_us_ = 0;  // monotonic: mixed segments are taken apart however few
    std::int64_t small_due_us_ = 0;
    std::string last_complaint_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace tickd
