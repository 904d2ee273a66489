#include "bench/report/target.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "daemon/progress_bar.h"

namespace bench {

bool target_row::met() const noexcept {
    if (!measured) return false;
    return goal_is_least ? measured->median >= goal : measured->median <= goal;
}

std::string value_text(double value, target_unit unit) {
    switch (unit) {
        case target_unit::ratio: return ratio_text(value);
        case target_unit::seconds: return time_text(value);
        case target_unit::bytes:
            return tickd::format_bytes(static_cast<std::uint64_t>(std::llround(value)));
        case target_unit::per_second:
            return tickd::format_count(static_cast<std::uint64_t>(std::llround(value))) + "/s";
    }
    return {};
}

text_table target_table(const std::vector<target_row>& rows) {
    text_table table({{"", align::left},
                      {"what", align::left},
                      {"median"},
                      {"least to most"},
                      {"other loads"},
                      {"target"},
                      {"met"}});
    for (const target_row& row : rows) {
        const std::string goal =
            std::format("{} {}", row.goal_is_least ? ">=" : "<=", value_text(row.goal, row.unit));
        if (!row.measured) {
            table.add({row.label, row.what, "-", row.why_not, "", goal, "-"});
            continue;
        }
        std::string elsewhere;
        if (row.elsewhere.size() > 1) {
            const auto [least, most] = std::ranges::minmax(row.elsewhere);
            elsewhere =
                std::format("{} to {}", value_text(least, row.unit), value_text(most, row.unit));
        }
        table.add({row.label, row.what, value_text(row.measured->median, row.unit),
                   std::format("{} to {}", value_text(row.measured->least, row.unit),
                               value_text(row.measured->most, row.unit)),
                   elsewhere, goal, row.met() ? "yes" : "no"});
    }
    return table;
}

boost::json::array to_json(const std::vector<target_row>& rows) {
    boost::json::array all;
    for (const target_row& row : rows) {
        boost::json::object one{{"label", row.label}, {"what", row.what}, {"goal", row.goal}};
        if (row.measured) {
            one["measured"] = to_json(*row.measured);
            one["met"] = row.met();
        } else {
            one["measured"] = nullptr;
            one["why_not"] = row.why_not;
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace bench
