#include "bench/latency/open_loop.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "bench/load/acked_connection.h"

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

std::int64_t ns_since(clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - begin).count();
}

// The ticks of one run, against the clock.
class pacer {
public:
    explicit pacer(const open_loop_plan& plan) : plan_(plan), to_(plan.address, plan.producer) {}

    open_loop_result run() {
        // Timers may otherwise be 50 us late.
        ::prctl(PR_SET_TIMERSLACK, 1);
        begin_ = clock::now();
        while (to_.acked() < plan_.lines.size()) {
            queue_due();
            send();
            to_.receive();
            note_acked();
            wait();
        }
        result_.seconds = static_cast<double>(ns_since(begin_)) / 1e9;
        return result_;
    }

private:
    // When the tick of that sequence was due, in nanoseconds after the beginning.
    [[nodiscard]] std::int64_t due_ns(std::uint64_t seq) const {
        return static_cast<std::int64_t>(static_cast<double>(seq - 1) * 1e9 /
                                         static_cast<double>(plan_.rate));
    }

    void queue_due() {
        const std::int64_t now_ns = ns_since(begin_);
        while (queued_ < plan_.lines.size() && due_ns(queued_ + 1) <= now_ns) {
            result_.behind_ns = std::max(result_.behind_ns, now_ns - due_ns(queued_ + 1));
            waiting_ += plan_.lines[queued_++];
        }
    }

    void send() {
        if (waiting_.empty()) return;
        sent_ += to_.send_some(std::string_view(waiting_).substr(sent_));
        // Seconds' worth may wait here, and moving it for every piece would cost the machine, and
        // so the server on it, more than sending does.
        if (sent_ < waiting_.size() / 2) return;
        waiting_.erase(0, sent_);
        sent_ = 0;
    }

    void note_acked() {
        if (to_.acked() == noted_) return;
        const std::int64_t now_ns = ns_since(begin_);
        for (; noted_ < to_.acked(); ++noted_) {
            if (noted_ >= plan_.warm_up) result_.latency.add(now_ns - due_ns(noted_ + 1));
        }
    }

    // Until the next tick is due, an ack comes, or more can be sent.
    void wait() {
        if (queued_ == plan_.lines.size()) {
            if (to_.acked() < plan_.lines.size()) to_.wait(!waiting_.empty());
            return;
        }
        const std::int64_t left_ns = due_ns(queued_ + 1) - ns_since(begin_);
        if (left_ns > 0) to_.wait(!waiting_.empty(), left_ns);
    }

    const open_loop_plan& plan_;
    acked_connection to_;
    clock::time_point begin_;
    std::uint64_t queued_ = 0;  // sequences up to here have been handed out
    std::uint64_t noted_ = 0;   // and acks up to here been counted
    std::string waiting_;
    std::size_t sent_ = 0;  // of it
    open_loop_result result_;
};

}  // namespace

open_loop_result run_open_loop(const open_loop_plan& plan) { return pacer(plan).run(); }

}  // namespace bench
