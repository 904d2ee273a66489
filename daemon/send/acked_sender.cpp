#include "daemon/send/acked_sender.h"

#include <algorithm>
#include <array>
#include <format>
#include <random>
#include <string_view>
#include <utility>
#include <variant>

#include "daemon/log.h"
#include "daemon/send/connection.h"
#include "daemon/send/pacer.h"
#include "daemon/send/unacked_lines.h"
#include "ingest/session_messages.h"

namespace tickd {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds look_around = progress_bar::redraw_interval;
constexpr std::chrono::seconds connect_timeout{5};
// Acks come at the pace of commits: this much is on its way at 500,000 lines/s and 200 ms.
constexpr std::size_t unacked_bytes_max = 32 * 1024 * 1024;
constexpr std::size_t send_bytes = 256 * 1024;
constexpr milliseconds backoff_first{50};
constexpr milliseconds backoff_last{5000};
// What a reject says is printed for so many, then only counted.
constexpr std::uint64_t rejects_printed_max = 10;

class acked_sender {
public:
    explicit acked_sender(const acked_send& job)
        : job_(job), start_(clock::now()), last_connected_(start_) {
        if (job.rate) pacer_.emplace(*job.rate, start_);
    }

    acked_report run() {
        while (!over_) {
            if (!peer_) {
                connect();
            } else {
                step();
            }
            show_progress();
        }
        report_.unsettled = kept_.count();
        report_.elapsed = clock::now() - start_;
        return std::move(report_);
    }

private:
    void connect() {
        const auto now = clock::now();
        if (job_.stop.take()) return ended(acked_end::interrupted, "interrupted");
        if (job_.give_up_after.count() != 0 && now - last_connected_ > job_.give_up_after) {
            return ended(acked_end::gave_up, last_failure_);
        }
        if (now < retry_at_) {
            static_cast<void>(job_.stop.wait(std::chrono::ceil<milliseconds>(
                std::min<clock::duration>(retry_at_ - now, look_around))));
            return;
        }
        auto opened = connection::open(job_.where, job_.stop, connect_timeout, job_.tls);
        if (!opened) {
            if (opened.error().stopped) return;
            return lost(opened.error().message);
        }
        peer_ = std::move(*opened);
        welcomed_ = draining_ = false;
        received_.clear();
        outgoing_ = ingest::to_line(job_.greeting);
        outgoing_sent_ = 0;
        ++report_.connects;
        kept_.rewind();
    }

    // One look at everything: input, socket, signal.
    void step() {
        if (welcomed_ && !draining_) {
            read_input();
            fill_outgoing();
        }
        if (over_) return;
        if (input_done_ && kept_.empty() && outgoing_.empty()) {
            return ended(acked_end::settled, {});
        }
        const bool more_to_send = outgoing_sent_ < outgoing_.size();
        const readiness found = peer_->wait(more_to_send, job_.stop, time_to_wait());
        if (found.has(ready::stop)) {
            static_cast<void>(job_.stop.take());
            return ended(acked_end::interrupted, "interrupted");
        }
        if (more_to_send && found.has(ready::writable)) send_some();
        if (peer_ && found.has(ready::readable)) receive();
    }

    [[nodiscard]] milliseconds time_to_wait() const {
        if (!pacer_ || input_done_ || kept_.full() || !welcomed_) return look_around;
        return std::min(pacer_->wait(numbered_, clock::now()), look_around);
    }

    void read_input() {
        // Sent lines wait for their acks outside this loop; unsent ones go first.
        while (!input_done_ && !kept_.full() && kept_.all_sent()) {
            std::uint64_t records_max = 4096;
            if (pacer_) {
                const std::uint64_t allowed = pacer_->allowed(clock::now());
                if (allowed <= numbered_) return;
                records_max = std::min(records_max, allowed - numbered_);
            }
            const auto run = job_.source.next(records_max);
            if (!run) {
                if (run.error().fault == source_fault::stopped) return;
                input_error_ = run.error();
                input_done_ = true;
                return;
            }
            if (run->bytes.empty()) {
                input_done_ = true;
                return;
            }
            keep_lines(run->bytes);
            report_.skipped += kept_.settle(resume_after_);
        }
    }

    void keep_lines(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            std::string_view line = bytes.substr(0, end);
            bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (line.empty()) continue;
            kept_.add(line);
            ++numbered_;
        }
    }

    void fill_outgoing() {
        if (outgoing_sent_ < outgoing_.size()) return;
        outgoing_.clear();
        outgoing_sent_ = 0;
        while (outgoing_.size() < send_bytes && !kept_.all_sent()) {
            outgoing_.append(kept_.next());
            if (kept_.sent()) ++report_.resent;
        }
    }

    void send_some() {
        const auto taken = peer_->send(std::string_view(outgoing_).substr(outgoing_sent_));
        if (!taken) return lost(taken.error());
        outgoing_sent_ += *taken;
    }

    void receive() {
        std::array<char, 64 * 1024> bytes;
        const auto got = peer_->receive(bytes);
        if (!got) return lost(got.error());
        if (!*got) return;
        if (**got == 0) return lost("the daemon closed the connection");
        received_.append(bytes.data(), **got);
        std::size_t begin = 0;
        for (std::size_t end; (end = received_.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            if (const auto message = ingest::parse_daemon_message(
                    std::string_view(received_).substr(begin, end - begin))) {
                std::visit([this](const auto& said) { hear(said); }, *message);
            }
            if (over_ || !peer_) return;
        }
        received_.erase(0, begin);
    }

    void hear(const ingest::welcome_message& said) {
        welcomed_ = true;
        last_connected_ = clock::now();
        failures_ = 0;
        resume_after_ = std::max(resume_after_, said.resume_after);
        settle(said.resume_after);
        kept_.rewind();
    }
    void hear(const ingest::ack_message& said) { settle(said.seq); }
    void hear(const ingest::reject_message& said) {
        if (report_.rejected++ >= rejects_printed_max) return;
        job_.bar.say(
            printable(std::format("rejected: seq {}: {} {}", said.seq, said.verdict, said.detail)));
    }
    void hear(const ingest::error_message& said) {
        const auto code = ingest::session_error_from(said.code);
        using enum ingest::session_error;
        if (code == bad_hello || code == unauthenticated || code == unauthorized ||
            code == superseded) {
            return ended(acked_end::refused, said.code + ": " + said.detail);
        }
        lost(said.code + ": " + said.detail);
    }
    void hear(const ingest::drain_message&) { draining_ = true; }
    void hear(const ingest::unknown_message&) {}

    void settle(std::uint64_t seq) { report_.settled += kept_.settle(seq); }

    void lost(std::string why) {
        peer_.reset();
        outgoing_.clear();
        outgoing_sent_ = 0;
        last_failure_ = std::move(why);
        // Between half and all of a time that doubles: many clients must not come back in step.
        const auto whole = std::min(backoff_first * (1 << std::min(failures_++, 10)), backoff_last);
        std::uniform_int_distribution<std::int64_t> part(whole.count() / 2, whole.count());
        retry_at_ = clock::now() + milliseconds(part(random_));
    }

    void ended(acked_end how, std::string detail) {
        over_ = true;
        report_.end = how;
        report_.detail = std::move(detail);
        if (how == acked_end::settled && input_error_) {
            report_.end = acked_end::input_failed;
            report_.input_fault = input_error_->fault;
            report_.detail = input_error_->message;
        }
    }

    void show_progress() {
        job_.bar.update({.records = report_.settled,
                         .done = job_.source.stored_bytes_read(),
                         .total = job_.source.stored_bytes_total()});
    }

    const acked_send& job_;
    clock::time_point start_, last_connected_;
    clock::time_point retry_at_{};
    std::optional<pacer> pacer_;
    std::mt19937_64 random_{std::random_device{}()};

    std::optional<connection> peer_;
    bool welcomed_ = false;
    bool draining_ = false;
    bool input_done_ = false;
    bool over_ = false;
    std::optional<source_error> input_error_;
    int failures_ = 0;
    std::string last_failure_;

    unacked_lines kept_{unacked_bytes_max};
    std::uint64_t numbered_ = 0;
    std::uint64_t resume_after_ = 0;
    std::string outgoing_, received_;
    std::size_t outgoing_sent_ = 0;
    acked_report report_;
};

}  // namespace

acked_report send_acked(const acked_send& job) { return acked_sender{job}.run(); }

std::string summary(const acked_report& report) {
    const double seconds = report.elapsed.count();
    const double rate = seconds > 0 ? static_cast<double>(report.settled) / seconds : 0;
    std::string text = std::format("settled {} lines ({} rejected, {} resent) in {} ({})",
                                   format_count(report.settled), format_count(report.rejected),
                                   format_count(report.resent), format_elapsed(seconds),
                                   format_rate(rate, "lines"));
    if (report.skipped != 0) {
        text += std::format("; {} were settled before", format_count(report.skipped));
    }
    if (report.unsettled != 0) {
        text += std::format("; {} are not settled", format_count(report.unsettled));
    }
    return text;
}

}  // namespace tickd
