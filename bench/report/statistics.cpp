#include "bench/report/statistics.h"

#include <algorithm>

namespace bench {

double summary::spread() const noexcept { return median == 0 ? 0 : (most - least) / median; }

summary summarize(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {
        .median = median, .least = values.front(), .most = values.back(), .runs = values.size()};
}

}  // namespace bench
