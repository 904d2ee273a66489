// Latencies in buckets that grow with them: 128 to each doubling, so that no value is off by more
// than one part in 128, from nanoseconds to an hour, in 40 KiB and without an allocation.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

class latency_histogram {
public:
    // `ns` below 0 counts as 0, above 2^42 (73 minutes) as that. `times`: how often it was seen.
    void add(std::int64_t ns, std::uint64_t times = 1) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::int64_t most_ns() const noexcept { return most_ns_; }
    // The value that the part `q` (0 to 1) of all does not exceed: its bucket's upper end, but
    // never more than the greatest seen. 0 when there is none.
    [[nodiscard]] std::int64_t quantile_ns(double q) const noexcept;

private:
    static constexpr unsigned sub_bits = 7, value_bits = 42;
    static constexpr std::uint64_t sub_buckets = 1U << sub_bits;
    static constexpr std::size_t buckets = (value_bits - sub_bits + 1) * sub_buckets;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) noexcept;
    [[nodiscard]] static std::uint64_t end_of(std::size_t bucket) noexcept;

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    std::int64_t most_ns_ = 0;
};

}  // namespace bench
