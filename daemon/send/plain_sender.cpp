#include "daemon/send/plain_sender.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <format>
#include <limits>
#include <string_view>
#include <utility>

#include "daemon/send/pacer.h"

namespace tickd {

namespace {

using clock = std::chrono::steady_clock;

// How long a wait lasts before the progress bar is drawn again.
constexpr std::chrono::milliseconds look_around = progress_bar::redraw_interval;

// Whole lines that are not blank.
std::uint64_t records_in(std::string_view text) {
    std::uint64_t records = 0;
    for (;;) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return records;
        if (end != 0 && text.substr(0, end) != "\r") ++records;
        text.remove_prefix(end + 1);
    }
}

// Where the line that is on its way ends when `sent` bytes of `text` have gone.
std::size_t line_end(std::string_view text, std::size_t sent) {
    if (sent == 0 || text[sent - 1] == '\n') return sent;
    const std::size_t end = text.find('\n', sent);
    return end == std::string_view::npos ? text.size() : end + 1;
}

class plain_sender {
public:
    explicit plain_sender(const plain_send& job) : job_{job}, start_{clock::now()} {
        if (job.rate) pacer_.emplace(*job.rate, start_);
    }

    send_report run() {
        while (send_more()) show_progress();
        if (report_.end != send_end::connection_lost && report_.end != send_end::abandoned) {
            await_close();
        }
        report_.elapsed = clock::now() - start_;
        return std::move(report_);
    }

private:
    // False: sending is over, and report_.end says why.
    bool send_more() {
        if (job_.stop.take()) return ended(send_end::interrupted, "interrupted");
        std::uint64_t records_max = std::numeric_limits<std::uint64_t>::max();
        if (pacer_) {
            const auto now = clock::now();
            const std::uint64_t allowed = pacer_->allowed(now);
            if (allowed <= report_.records) {
                const auto left = pacer_->wait(report_.records, now);
                const readiness found =
                    job_.peer.wait(false, job_.stop, std::min(left, look_around));
                return !found.has(ready::readable) || drop_received();
            }
            records_max = allowed - report_.records;
        }
        auto run = job_.source.next(records_max);
        if (run) return !run->bytes.empty() && send_run(*run);
        // The signal itself is taken by the next call.
        if (run.error().fault == source_fault::stopped) return true;
        report_.input_fault = run.error().fault;
        return ended(send_end::input_failed, std::move(run.error().message));
    }

    bool send_run(const line_run& run) {
        std::size_t sent = 0;
        std::size_t limit = run.bytes.size();
        while (sent < limit) {
            const auto taken = job_.peer.send(run.bytes.substr(sent, limit - sent));
            if (!taken) {
                ended(send_end::connection_lost, "the connection was lost: " + taken.error());
                break;
            }
            sent += *taken;
            if (*taken != 0) continue;
            const readiness found = job_.peer.wait(true, job_.stop, look_around);
            if (found.has(ready::readable) && !drop_received()) break;
            if (found.has(ready::stop) && !may_finish_line()) break;
            // The daemon reads no faster; the rest of the line is still owed to it.
            if (report_.end == send_end::interrupted) limit = line_end(run.bytes, sent);
            show_progress();
        }
        report_.bytes += sent;
        report_.records +=
            sent == run.bytes.size() ? run.records : records_in(run.bytes.substr(0, sent));
        return report_.end == send_end::complete;
    }

    // A signal came while the daemon was not reading. False: it was not the first.
    bool may_finish_line() {
        (void)job_.stop.take();
        if (report_.end == send_end::interrupted) {
            return ended(send_end::abandoned, "given up in the middle of a line");
        }
        ended(send_end::interrupted, "interrupted");
        return true;
    }

    // A plain session is told nothing; whatever comes is dropped. False: the daemon has closed.
    bool drop_received() {
        std::array<char, 4096> bytes;
        const auto received = job_.peer.receive(bytes);
        if (!received) {
            return ended(send_end::connection_lost, "the connection was lost: " + received.error());
        }
        if (*received == std::size_t{0}) {
            return ended(send_end::connection_lost, "the daemon closed the connection");
        }
        return true;
    }

    // Its close says that everything sent has been read.
    void await_close() {
        job_.peer.finish_sending();
        job_.bar.set_label("waiting for the daemon");
        for (;;) {
            const readiness found = job_.peer.wait(false, job_.stop, look_around);
            if (found.has(ready::readable)) {
                std::array<char, 4096> bytes;
                const auto received = job_.peer.receive(bytes);
                if (!received) {
                    ended(send_end::connection_lost,
                          "no word that everything was read: " + received.error());
                    return;
                }
                if (*received == std::size_t{0}) return;
            }
            if (found.has(ready::stop)) {
                (void)job_.stop.take();
                ended(send_end::abandoned, "stopped before the daemon had read everything");
                return;
            }
            show_progress();
        }
    }

    // Keeps how sending ended; false, for the caller to hand on.
    bool ended(send_end how, std::string detail) {
        report_.end = how;
        report_.detail = std::move(detail);
        return false;
    }

    void show_progress() {
        job_.bar.update({.records = report_.records,
                         .done = job_.source.stored_bytes_read(),
                         .total = job_.source.stored_bytes_total()});
    }

    const plain_send& job_;
    clock::time_point start_;
    std::optional<pacer> pacer_;
    send_report report_;
};

}  // namespace

send_report send_plain(const plain_send& job) { return plain_sender{job}.run(); }

std::string summary(const send_report& report) {
    const double seconds = report.elapsed.count();
    const double rate = seconds > 0 ? static_cast<double>(report.records) / seconds : 0;
    return std::format("sent {} lines, {} in {} ({})", format_count(report.records),
                       format_bytes(report.bytes), format_elapsed(seconds),
                       format_rate(rate, "lines"));
}

}  // namespace tickd
