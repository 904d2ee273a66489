// Metrics as Prometheus reads them: families of samples, put together for one answer and written by
// prometheus-cpp's serializer.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/latency_histogram.h"

namespace tickd {

class metric_page {
public:
    using labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // A family begins; samples that follow belong to it. Names and help as docs/operations.md has
    // them: a test compares the names.
    void counters(std::string_view name, std::string_view help);
    void gauges(std::string_view name, std::string_view help);
    void histograms(std::string_view name, std::string_view help);

    void sample(labels of, double value);
    void sample(labels of, std::uint64_t value) { sample(of, static_cast<double>(value)); }
    void sample(labels of, std::int64_t value) { sample(of, static_cast<double>(value)); }
    void sample(labels of, bool value) { sample(of, value ? 1.0 : 0.0); }

    // With bounds at the powers of two from 2^first to 2^last, which is where the buckets of a
    // latency_histogram end, so the counts are exact; each value and bound times `unit`.
    void sample(labels of, const ingest::latency_snapshot& seen, unsigned first, unsigned last,
                double unit);

    // The same for whole numbers, of which a bound counts those equal to it, too: exact to 32, then
    // to what shares its bucket, 1/32 of it.
    void sample_sizes(labels of, const ingest::latency_snapshot& seen, unsigned first,
                      unsigned last);

    // The text exposition format.
    [[nodiscard]] std::string text() const;

private:
    void begin(std::string_view name, std::string_view help, prometheus::MetricType type);
    prometheus::ClientMetric& add(labels of);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace tickd
