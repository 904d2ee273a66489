// What several runs of one measurement have in common.
#pragma once

#include <cstddef>
#include <vector>

namespace bench {

struct summary {
    double median = 0, least = 0, most = 0;  // all 0 when there was no run
    std::size_t runs = 0;

    // How far the runs lie apart, as a part of the median; 0 when that is 0.
    [[nodiscard]] double spread() const noexcept;
};

// Of an even number of values the median is the mean of the two in the middle.
[[nodiscard]] summary summarize(std::vector<double> values);

}  // namespace bench
