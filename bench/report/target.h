// The figures that tickd is held to, as rows of a table and as JSON.
#pragma once

#include <boost/json/array.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/report/report.h"

namespace bench {

enum class target_unit : std::uint8_t { ratio, seconds, bytes, per_second };

struct target_row {
    std::string label;  // `I1`
    std::string what;
    target_unit unit = target_unit::ratio;
    std::optional<summary> measured{};  // nothing: not measured, `why_not` says why
    std::string why_not{};
    double goal = 0;
    bool goal_is_least = true;  // false: it is the most
    // Medians of the same figure under other loads; fewer than two are not shown.
    std::vector<double> elsewhere{};

    [[nodiscard]] bool met() const noexcept;
};

// `1.83x`, `12.3 ms`, `64.2 MiB`, `2,000,000/s`.
[[nodiscard]] std::string value_text(double value, target_unit unit);

[[nodiscard]] text_table target_table(const std::vector<target_row>& rows);
[[nodiscard]] boost::json::array to_json(const std::vector<target_row>& rows);

}  // namespace bench
