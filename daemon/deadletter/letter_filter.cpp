#include "daemon/deadletter/letter_filter.h"

#include <chrono>

#include "daemon/config/setting_value.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

constexpr std::string_view moment_of = "'epoch'::timestamptz + ?::bigint * interval '1 us'";

void add_list(sql_condition& to, std::string_view column, std::string_view type,
              const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::string condition(column);
    condition += " IN (";
    for (std::size_t i = 0; i < values.size(); ++i) {
        condition.append(i == 0 ? "?::" : ", ?::").append(type);
    }
    to.add(condition + ')', values);
}

}  // namespace

void sql_condition::add(std::string_view condition, const std::vector<std::string>& values) {
    text += " AND ";
    auto value = values.begin();
    for (const char c : condition) {
        if (c != '?') {
            text += c;
            continue;
        }
        parameters.emplace_back(*value++);
        text += '$' + std::to_string(parameters.size());
    }
}

sql_condition condition_of(const letter_filter& filter) {
    sql_condition condition;
    std::vector<std::string> ids;
    ids.reserve(filter.ids.size());
    for (const std::int64_t id : filter.ids) ids.push_back(std::to_string(id));
    add_list(condition, "id", "bigint", ids);
    add_list(condition, "verdict", "text", filter.verdicts);
    add_list(condition, "producer", "text", filter.producers);
    const auto add_moment = [&](std::string_view comparison, std::int64_t us) {
        condition.add(std::string(comparison).append(moment_of), {std::to_string(us)});
    };
    if (filter.since_us) add_moment("received_at >= ", *filter.since_us);
    if (filter.until_us) add_moment("received_at < ", *filter.until_us);
    switch (filter.state) {
        case letter_state::waiting: condition.add("replayed_at IS NULL", {}); break;
        case letter_state::replayed: condition.add("replayed_at IS NOT NULL", {}); break;
        case letter_state::any: break;
    }
    return condition;
}

std::expected<std::int64_t, std::string> parse_moment(std::string_view text, std::int64_t now_us) {
    const ingest::time_result time = ingest::parse_rfc3339(text);
    if (time.error == ingest::time_error::none) return time.unix_us;
    using namespace std::chrono_literals;
    const auto age = parse_duration(text, 0us, std::chrono::days{36'500});
    if (age) return now_us - age->count();
    return std::unexpected(
        "must be a time such as 2024-08-08T12:00:00Z or an age such as 2h, not " + quoted(text));
}

}  // namespace tickd
