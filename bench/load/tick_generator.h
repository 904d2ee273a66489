// Made-up ticks as lines of the wire protocol: the same for the same mix on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct tick_mix {
    std::uint32_t symbols = 500;
    bool metadata = false;
    double late_part = 0;  // of the ticks are up to ten seconds older than their neighbours
    std::uint64_t seed = 1;
    std::int64_t begin_us = 1'723'075'200'000'000;  // 2024-08-08T00:00:00Z
    double step_us = 100;                           // from one tick to the next
};

// Ticks at even steps, of symbols in a random order, with prices that walk by small steps. One
// thread.
class tick_generator {
public:
    explicit tick_generator(const tick_mix& mix);

    // Appends the next tick, with its number from 1 as `seq` and a newline.
    void append_line(std::string& to);
    [[nodiscard]] std::uint64_t made() const noexcept { return made_; }

private:
    [[nodiscard]] std::uint64_t random() noexcept;

    tick_mix mix_;
    std::uint64_t state_;
    std::uint64_t made_ = 0;
    std::vector<std::int64_t> bids_;  // one a symbol, in units of 10^-5
};

}  // namespace bench
