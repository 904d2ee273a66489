// Lines of random ticks of everything that segments must carry: other scales, negative and huge
// prices, volumes or none, sources, metadata, late ones, several at one time, tenants.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace tickd::test {

struct random_ticks_plan {
    int symbols = 5;
    std::int64_t begin_us = 0;  // of the first tick, since 1970
    std::int64_t step_us_max = 500'000;
    int late_percent = 5;  // by up to an hour
    bool tenants = true;   // none, and two
    bool odd = true;       // extremes, metadata, sources
};

class random_ticks {
public:
    explicit random_ticks(std::uint64_t seed, random_ticks_plan plan)
        : random_(seed), plan_(plan), now_us_(plan.begin_us) {}

    // The next tick as a line with its newline.
    [[nodiscard]] std::string line();
    [[nodiscard]] std::string lines(int count);

private:
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    [[nodiscard]] std::string price();

    std::mt19937_64 random_;
    random_ticks_plan plan_;
    std::int64_t now_us_;
};

}  // namespace tickd::test
