#include "bench/load/tick_generator.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "ingest/timestamp.h"

namespace bench {

namespace {

void append_number(std::uint64_t value, std::string& to) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    to.append(digits.data(), end);
}

// `value` units of 10^-decimals.
void append_decimal(std::uint64_t value, unsigned decimals, std::string& to) {
    std::array<char, 8> fraction;
    for (unsigned i = decimals; i-- > 0; value /= 10) {
        fraction[i] = static_cast<char>('0' + value % 10);
    }
    append_number(value, to);
    to += '.';
    to.append(fraction.data(), decimals);
}

}  // namespace

tick_generator::tick_generator(const tick_mix& mix) : mix_(mix), state_(mix.seed) {
    for (std::uint32_t i = 0; i < mix.symbols; ++i) {
        bids_.push_back(static_cast<std::int64_t>(1'000'000 + random() % 10'000'000));
    }
}

// splitmix64: a few nanoseconds, and the same everywhere.
std::uint64_t tick_generator::random() noexcept {
    std::uint64_t mixed = (state_ += 0x9E37'79B9'7F4A'7C15);
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58'476D'1CE4'E5B9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EB;
    return mixed ^ (mixed >> 31U);
}

void tick_generator::append_line(std::string& to) {
    const std::uint64_t dice = random();
    const std::uint32_t symbol = static_cast<std::uint32_t>(dice >> 32U) % mix_.symbols;
    std::int64_t& bid = bids_[symbol];
    bid = std::max<std::int64_t>(bid + static_cast<std::int64_t>(dice % 7) - 3, 1000);
    const std::uint64_t ask = static_cast<std::uint64_t>(bid) + 1 + dice / 7 % 5;
    std::int64_t time_us =
        mix_.begin_us + static_cast<std::int64_t>(static_cast<double>(made_) * mix_.step_us);
    if (mix_.late_part > 0 &&
        static_cast<double>(random() % 1'000'000) < mix_.late_part * 1'000'000) {
        time_us -= static_cast<std::int64_t>(random() % 10'000'000);
    }

    to += R"({"seq":)";
    append_number(++made_, to);
    to += R"(,"type":"tick","time":")";
    to += ingest::to_rfc3339(time_us);
    to += R"(","symbol":"SYM)";
    std::array<char, 5> digits;
    std::uint32_t rest = symbol;
    for (std::size_t i = digits.size(); i-- > 0; rest /= 10) {
        digits[i] = static_cast<char>('0' + rest % 10);
    }
    to.append(digits.data(), digits.size());
    to += R"(","bid":)";
    append_decimal(static_cast<std::uint64_t>(bid), 5, to);
    to += R"(,"ask":)";
    append_decimal(ask, 5, to);
    to += R"(,"volume":)";
    append_decimal(1 + (dice >> 20U) % 1'000'000, 2, to);
    to += R"(,"source":"bench")";
    if (mix_.metadata) {
        to += R"(,"metadata":{"bid_size":)";
        append_decimal(1 + (dice >> 10U) % 500'000, 4, to);
        to += R"(,"ask_size":)";
        append_decimal(1 + (dice >> 15U) % 500'000, 4, to);
        to += '}';
    }
    to += "}\n";
}

}  // namespace bench
