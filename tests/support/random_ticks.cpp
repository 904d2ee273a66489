#include "tests/support/random_ticks.h"

#include <format>

#include "ingest/timestamp.h"

namespace tickd::test {

std::string random_ticks::price() {
    if (plan_.odd && below(50) == 0) {
        constexpr const char* extremes[] = {"999999999999.99999999", "-999999999999.99999999", "0",
                                            "0.00000001", "-0.00000001"};
        return extremes[below(5)];
    }
    return std::format("{}.{:05}", 100 + below(3), below(100'000));
}

std::string random_ticks::line() {
    now_us_ += static_cast<std::int64_t>(below(static_cast<std::uint64_t>(plan_.step_us_max) + 1));
    std::int64_t time_us = now_us_;
    if (below(100) < static_cast<std::uint64_t>(plan_.late_percent)) {
        time_us -= static_cast<std::int64_t>(below(3'600'000'000));
    }
    // Many share their time.
    if (below(3) == 0) time_us -= time_us % 1'000'000;
    std::string line = std::format(R"({{"symbol":"S{}","bid":"{}","ask":"{}","time":"{}")",
                                   below(static_cast<std::uint64_t>(plan_.symbols)), price(),
                                   price(), ingest::to_rfc3339(time_us));
    if (plan_.odd && below(500) == 0) {
        line += R"(,"volume":"9999999999999999999999.99999999")";
    } else if (below(3) == 0) {
        line += std::format(R"(,"volume":{}.{})", below(1000), below(100));
    }
    if (plan_.odd) {
        if (below(4) != 0) line += std::format(R"(,"source":"v{}")", below(3));
        if (below(10) == 0) line += std::format(R"(,"metadata":{{"n":{},"t":"ü\n"}})", below(100));
        if (below(200) == 0) line += R"(,"mid":7)";
    }
    if (plan_.tenants && below(3) != 0) {
        line += std::format(R"(,"tenant":"00000000-0000-0000-0000-00000000000{}")", 1 + below(2));
    }
    return line + "}\n";
}

std::string random_ticks::lines(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += line();
    return all;
}

}  // namespace tickd::test
