// Each producer's records. Those beyond limits::producer_labels_max share the empty label, which
// no producer can have.
#include <algorithm>
#include <string>

#include "daemon/admin/metrics.h"
#include "daemon/clock.h"
#include "ingest/producer_key.h"

namespace tickd {

namespace {

constexpr double us = 1e-6;

// Two tenants may use one name: both labels tell a producer.
void sample(metric_page& page, const std::string& key, auto value) {
    const auto tenant = ingest::producer_tenant_of(key);
    page.sample({{"producer", ingest::producer_name_of(key)},
                 {"tenant", tenant ? ingest::to_text(*tenant) : std::string()}},
                value);
}

}  // namespace

void add_producer_metrics(const observed& of, metric_page& page) {
    const auto all = of.producers.all();
    const auto count = [&](std::string_view name, std::string_view help,
                           counter producer_figures::* member) {
        page.counters(name, help);
        for (const auto& each : all) sample(page, each.name, read(each.figures->*member));
    };
    using figures = producer_figures;
    count("tickd_producer_records_received_total", "Lines taken in from a producer.",
          &figures::received);
    count("tickd_producer_records_duplicate_total", "Of them, those at or below its watermark.",
          &figures::duplicates);
    count("tickd_producer_records_committed_total", "Ticks and events of it that were committed.",
          &figures::committed);
    count("tickd_producer_records_dead_lettered_total", "Dead letters of it that were committed.",
          &figures::dead_lettered);
    count("tickd_producer_seq_gaps_total", "Times it left out numbers.", &figures::seq_gaps);
    page.gauges("tickd_producer_watermark", "Its newest sequence that is settled.");
    for (const auto& each : all) {
        if (!each.name.empty()) sample(page, each.name, read(each.figures->watermark));
    }
    page.gauges("tickd_producer_lag_seconds",
                "Age of its oldest record that was sent to the writer and is not committed.");
    const std::int64_t now_us = unix_now_us();
    for (const auto& each : all) {
        if (each.name.empty()) continue;
        const std::int64_t oldest_us = each.figures->oldest_us.load(std::memory_order_relaxed);
        const std::int64_t age_us =
            oldest_us == 0 ? 0 : std::max<std::int64_t>(now_us - oldest_us, 0);
        sample(page, each.name, static_cast<double>(age_us) * us);
    }
}

}  // namespace tickd
