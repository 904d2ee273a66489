// How much of a fault test is run, and with which luck.
//
// The short form belongs to dev/test. TICKD_TEST_LONG=1 asks for the long one, which is made for
// ten minutes; TICKD_TEST_MINUTES makes it as long as that. TICKD_TEST_SEED repeats a run's luck.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace tickd::test {

[[nodiscard]] bool long_form();
// `brief` in the short form, else `in_ten_minutes` for each ten minutes, and no less than `brief`.
[[nodiscard]] int how_many(int brief, int in_ten_minutes);

// The seed of this process; printed once, at its first use.
[[nodiscard]] std::uint64_t chaos_seed();

// Numbers that follow from the seed and `stream`.
class chaos_luck {
public:
    explicit chaos_luck(std::uint64_t stream = 0) : random_(chaos_seed() + stream) {}
    // Between both, each included.
    [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
    }

    // Lets up to `most_ms` milliseconds pass, so that what follows comes at any moment.
    void pass_time(std::uint64_t most_ms);

private:
    std::mt19937_64 random_;
};

// One line to stderr, in the long form only: somebody is watching.
void tell(const std::string& progress);

}  // namespace tickd::test
