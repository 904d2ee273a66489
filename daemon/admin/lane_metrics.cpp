// A lane's records: what came, where they are, what became of them, and how long it took.
#include <algorithm>
#include <string>

#include "daemon/admin/conservation.h"
#include "daemon/admin/metrics.h"
#include "ingest/limits.h"

namespace tickd {

namespace {

constexpr double us = 1e-6;
// Bounds of latencies: 64 us to 67 s.
constexpr unsigned shortest = 6, longest = 26;

class lane_page {
public:
    lane_page(const observed& of, metric_page& page) : of_(of), page_(page) {}

    template <typename ValueOf>
    void each(ValueOf value_of) {
        for (const auto& lane : of_.lanes) {
            page_.sample({{"lane", std::to_string(lane->number())}}, value_of(*lane));
        }
    }
    void counter_of(std::string_view name, std::string_view help, counter lane_counters::* member) {
        page_.counters(name, help);
        each([member](lane& at) { return read(at.counters().*member); });
    }

private:
    const observed& of_;
    metric_page& page_;
};

void add_traffic(const observed& of, metric_page& page) {
    lane_page lanes(of, page);
    using counters = lane_counters;
    lanes.counter_of("tickd_received_bytes_total", "Bytes read from sessions.",
                     &counters::bytes_received);
    lanes.counter_of("tickd_sent_bytes_total", "Bytes written to acked sessions.",
                     &counters::bytes_sent);
    lanes.counter_of("tickd_acks_sent_total", "Acks, each for everything up to its seq.",
                     &counters::acks_sent);
    lanes.counter_of("tickd_rejects_sent_total", "Rejects.", &counters::rejects_sent);
    lanes.counter_of("tickd_lane_sessions_total", "Sessions that came to a lane.",
                     &counters::sessions_opened);
    page.gauges("tickd_lane_sessions", "Sessions that a lane has.");
    lanes.each([](lane& at) {
        const std::uint64_t closed = read(at.counters().sessions_closed);
        return read(at.counters().sessions_opened) - closed;
    });
    lanes.counter_of("tickd_reading_paused_total",
                     "Times a session had to wait because every block was on its way.",
                     &counters::reading_paused);
    lanes.counter_of("tickd_reading_limited_total",
                     "Times a session had to wait for its rate, its tenant's or its listener's.",
                     &counters::reading_limited);
}

void add_records(const observed& of, metric_page& page) {
    lane_page lanes(of, page);
    using counters = lane_counters;
    lanes.counter_of("tickd_records_received_total", "Lines taken in.",
                     &counters::records_received);
    lanes.counter_of("tickd_records_duplicate_total",
                     "Of them, those at or below their producer's watermark.",
                     &counters::records_duplicate);
    page.counters("tickd_records_refused_total", "Of them, those refused, by verdict.");
    for (const auto& lane : of.lanes) {
        for (std::size_t i = 1; i < ingest::verdict_count; ++i) {
            page.sample({{"lane", std::to_string(lane->number())},
                         {"verdict", ingest::to_string(static_cast<ingest::verdict>(i))}},
                        read(lane->counters().refused[i]));
        }
    }
    page.counters("tickd_records_committed_total", "Rows in the database, by table.");
    for (const auto& lane : of.lanes) {
        const std::string number = std::to_string(lane->number());
        const lane_counters& counted = lane->counters();
        page.sample({{"lane", number}, {"kind", "tick"}}, read(counted.ticks_committed));
        page.sample({{"lane", number}, {"kind", "event"}}, read(counted.events_committed));
        page.sample({{"lane", number}, {"kind", "dead_letter"}},
                    read(counted.dead_letters_committed));
    }
    lanes.counter_of("tickd_records_left_out_total",
                     "Records of producers that another daemon has taken: not written here.",
                     &counters::records_left_out);
    page.gauges("tickd_records_in_flight", "Records in blocks: on their way to the database.");
    lanes.each([](lane& at) { return records_in_flight(at.counters()); });
    page.gauges("tickd_records_spooled", "Records that wait in the spool.");
    lanes.each([](lane& at) { return records_spooled(at.counters()); });
    page.gauges("tickd_records_unaccounted",
                "What was received and is nowhere; anything but 0 that stays is a fault.");
    lanes.each([](lane& at) { return steady_unaccounted(at.counters()); });
}

void add_blocks(const observed& of, metric_page& page) {
    page.gauges("tickd_blocks", "Blocks of a lane: in the ring, or with its writer.");
    for (const auto& lane : of.lanes) {
        const std::string number = std::to_string(lane->number());
        // From the last counter to the first: none may be ahead of the one before.
        const std::uint64_t returned = read(lane->counters().blocks_returned);
        const std::uint64_t taken = read(lane->counters().blocks_taken);
        const std::uint64_t sealed = read(lane->counters().blocks_sealed);
        page.sample({{"lane", number}, {"place", "ring"}}, sealed - std::min(taken, sealed));
        page.sample({{"lane", number}, {"place", "writer"}}, taken - std::min(returned, taken));
    }
    page.gauges("tickd_blocks_max", "Blocks that a lane has; with all on their way senders wait.");
    lane_page(of, page).each([](lane&) { return std::uint64_t{ingest::limits::blocks_per_lane}; });
}

void add_timings(const observed& of, metric_page& page) {
    const auto latency = [&](metric_page::labels labels,
                             const ingest::latency_histogram& histogram) {
        page.sample(labels, histogram.read(), shortest, longest, us);
    };
    page.histograms("tickd_receive_to_commit_seconds",
                    "From receipt to commit, of each record: the age of the oldest in its block.");
    for (const auto& lane : of.lanes) {
        latency({{"lane", std::to_string(lane->number())}}, lane->timings().record_age);
    }
    page.histograms("tickd_block_receive_to_commit_seconds", "The same, of each block.");
    for (const auto& lane : of.lanes) {
        latency({{"lane", std::to_string(lane->number())}}, lane->timings().block_age);
    }
    page.histograms("tickd_stage_seconds",
                    "seal: a block's oldest record until it is sent. ring: until the writer has it."
                    " prepare: a batch's sorting and encoding. commit: its transaction.");
    for (const auto& lane : of.lanes) {
        const std::string number = std::to_string(lane->number());
        const lane_timings& took = lane->timings();
        latency({{"lane", number}, {"stage", "seal"}}, took.seal);
        latency({{"lane", number}, {"stage", "ring"}}, took.ring);
        latency({{"lane", number}, {"stage", "prepare"}}, took.prepare);
        latency({{"lane", number}, {"stage", "commit"}}, took.commit);
    }
}

}  // namespace

void add_lane_metrics(const observed& of, metric_page& page) {
    add_traffic(of, page);
    add_records(of, page);
    add_blocks(of, page);
    add_timings(of, page);
}

}  // namespace tickd
