#include "daemon/admin/metric_page.h"

#include <prometheus/text_serializer.h>

#include <sstream>

namespace tickd {

void metric_page::counters(std::string_view name, std::string_view help) {
    begin(name, help, prometheus::MetricType::Counter);
}
void metric_page::gauges(std::string_view name, std::string_view help) {
    begin(name, help, prometheus::MetricType::Gauge);
}
void metric_page::histograms(std::string_view name, std::string_view help) {
    begin(name, help, prometheus::MetricType::Histogram);
}

void metric_page::begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
    families_.push_back(
        {.name = std::string(name), .help = std::string(help), .type = type, .metric = {}});
}

prometheus::ClientMetric& metric_page::add(labels of) {
    auto& made = families_.back().metric.emplace_back();
    for (const auto& [name, value] : of) {
        made.label.push_back({std::string(name), std::string(value)});
    }
    return made;
}

void metric_page::sample(labels of, double value) {
    const bool counts = families_.back().type == prometheus::MetricType::Counter;
    auto& made = add(of);
    if (counts) {
        made.counter.value = value;
    } else {
        made.gauge.value = value;
    }
}

void metric_page::sample(labels of, const ingest::latency_snapshot& seen, unsigned first,
                         unsigned last, double unit) {
    auto& histogram = add(of).histogram;
    histogram.sample_count = seen.total;
    histogram.sample_sum = static_cast<double>(seen.sum) * unit;
    for (unsigned power = first; power <= last; ++power) {
        const std::int64_t bound = std::int64_t{1} << power;
        histogram.bucket.push_back({.cumulative_count = seen.below(bound),
                                    .upper_bound = static_cast<double>(bound) * unit});
    }
}

void metric_page::sample_sizes(labels of, const ingest::latency_snapshot& seen, unsigned first,
                               unsigned last) {
    auto& histogram = add(of).histogram;
    histogram.sample_count = seen.total;
    histogram.sample_sum = static_cast<double>(seen.sum);
    for (unsigned power = first; power <= last; ++power) {
        const std::int64_t bound = std::int64_t{1} << power;
        const std::size_t next = ingest::latency_buckets::index_of(bound) + 1;
        histogram.bucket.push_back(
            {.cumulative_count = seen.below(ingest::latency_buckets::lowest(next)),
             .upper_bound = static_cast<double>(bound)});
    }
}

std::string metric_page::text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
}

}  // namespace tickd
