// A lane's writer: its connection, its batches, its spool.
#include <string>

#include "daemon/admin/metrics.h"

namespace tickd {

namespace {

constexpr double us = 1e-6;
// Bounds of a batch's rows: 1 to 131,072.
constexpr unsigned fewest = 0, most = 17;

}  // namespace

void add_database_metrics(const observed& of, metric_page& page) {
    const auto each = [&](auto value_of) {
        for (const auto& lane : of.lanes) {
            page.sample({{"lane", std::to_string(lane->number())}}, value_of(*lane));
        }
    };
    const auto count = [&](std::string_view name, std::string_view help,
                           counter lane_counters::* member) {
        page.counters(name, help);
        each([member](lane& at) { return read(at.counters().*member); });
    };
    page.gauges("tickd_lane_stuck", "1: one of its threads does not come round, as /healthz says.");
    each([](lane& at) { return !at.stuck().empty(); });
    page.gauges("tickd_database_connected", "1: the lane holds its connection and its epoch.");
    each([](lane& at) { return at.counters().connected.load(); });
    count("tickd_database_connects_total",
          "Times a lane was taken; all but the first are reconnects.", &lane_counters::connects);
    page.counters("tickd_database_failures_total",
                  "Failures by SQLSTATE; none: no answer, other: states beyond the first 32.");
    for (const auto& lane : of.lanes) {
        for (const auto& [state, times] : lane->counters().failures_by_state.read()) {
            page.sample({{"lane", std::to_string(lane->number())}, {"sqlstate", state}}, times);
        }
    }
    count("tickd_commits_in_doubt_total", "COMMITs whose answer never came.",
          &lane_counters::in_doubt);
    count("tickd_commits_in_doubt_committed_total", "Of them, those the ledger knew.",
          &lane_counters::in_doubt_committed);
    count("tickd_batches_total", "Batches committed.", &lane_counters::batches_committed);
    page.histograms("tickd_batch_rows", "Rows of a committed batch.");
    for (const auto& lane : of.lanes) {
        page.sample_sizes({{"lane", std::to_string(lane->number())}},
                          lane->timings().batch_rows.read(), fewest, most);
    }
    page.gauges("tickd_last_commit_time_seconds", "When a block was committed last, since 1970.");
    each([](lane& at) { return static_cast<double>(at.counters().committed_at_us.load()) * us; });
    count("tickd_spool_blocks_total", "Blocks put into the spool.", &lane_counters::spooled_blocks);
    count("tickd_spool_records_total", "Records put into the spool.",
          &lane_counters::spooled_records);
    page.gauges("tickd_spool_bytes", "Bytes of the spool's files.");
    each([](lane& at) { return read(at.counters().spool_bytes); });
    page.gauges("tickd_spool_bytes_max", "What they may be; 0: there is no spool.");
    each([&](lane&) { return of.spool_bytes_max; });
}

}  // namespace tickd
