#include "bench/query/query_report.h"

#include <algorithm>
#include <format>
#include <string>
#include <utility>

#include "daemon/progress_bar.h"

namespace bench {

namespace {

struct goal {
    measured_query which;
    double part;  // the quantile that is held against it
    double seconds;
};
constexpr std::array goals{
    goal{measured_query::fetch, 0.5, 0.015},      goal{measured_query::fetch, 0.99, 0.045},
    goal{measured_query::aggregate, 0.99, 0.010}, goal{measured_query::candles, 0.99, 0.010},
    goal{measured_query::range, 0.99, 0.022},     goal{measured_query::look_up, 0.99, 0.005},
    goal{measured_query::latest, 0.99, 0.001},
};
constexpr double as_tenant_most = 1.2;
constexpr double grown_most = 2.0;

[[nodiscard]] std::size_t place_of(measured_query which) {
    return static_cast<std::size_t>(std::ranges::find(all_queries, which) - all_queries.begin());
}

// The value itself as a summary whose bounds are the quantile over the tables.
[[nodiscard]] target_row time_target(const std::vector<dataset_results>& all, const goal& of) {
    const auto of_table = [&](const dataset_results& each) {
        return each.owner.of[place_of(of.which)].quantile(of.part);
    };
    const query_times& times = all.front().owner.of[place_of(of.which)];
    target_row row{.label = std::string(label_of(of.which)),
                   .what = std::format("{}, p{:g}", explain(of.which), of.part * 100),
                   .unit = target_unit::seconds,
                   .goal = of.seconds,
                   .goal_is_least = false};
    row.measured = summary{.median = times.quantile(of.part),
                           .least = times.quantile(0),
                           .most = times.quantile(1),
                           .runs = times.seconds.size()};
    for (const dataset_results& each : all) row.elsewhere.push_back(of_table(each));
    return row;
}

// The largest of the queries' ratios of medians: the one that suffers most.
[[nodiscard]] std::pair<double, std::string> worst_ratio(const query_results& over,
                                                         const query_results& under) {
    std::pair<double, std::string> worst{0, {}};
    for (std::size_t i = 0; i < all_queries.size(); ++i) {
        const double base = under.of[i].quantile(0.5);
        if (base <= 0) continue;
        const double ratio = over.of[i].quantile(0.5) / base;
        if (ratio > worst.first) worst = {ratio, std::string(explain(all_queries[i]))};
    }
    return worst;
}

[[nodiscard]] target_row ratio_row(std::string label, const std::string& what,
                                   const query_results& over, const query_results& under,
                                   double most) {
    const auto [ratio, which] = worst_ratio(over, under);
    target_row row{.label = std::move(label),
                   .what = std::format("{}: the worst is {}", what, which),
                   .unit = target_unit::ratio,
                   .goal = most,
                   .goal_is_least = false};
    row.measured = summary{.median = ratio, .least = ratio, .most = ratio, .runs = 1};
    return row;
}

[[nodiscard]] text_table times_table(const dataset_results& of) {
    text_table table({{"", align::left},
                      {"what", align::left},
                      {"p50"},
                      {"p95"},
                      {"p99"},
                      {"plain p50"},
                      {"gain"},
                      {"tenant"},
                      {"in ingest"},
                      {"cold"}});
    for (std::size_t i = 0; i < all_queries.size(); ++i) {
        const query_times& times = of.owner.of[i];
        const query_times& plain = of.owner.plain[i];
        const double median = times.quantile(0.5);
        const bool compared = !plain.seconds.empty();
        table.add({std::string(label_of(all_queries[i])), std::string(explain(all_queries[i])),
                   time_text(median), time_text(times.quantile(0.95)),
                   time_text(times.quantile(0.99)),
                   compared ? time_text(plain.quantile(0.5)) : "the same",
                   compared ? ratio_text(plain.quantile(0.5) / median) : "",
                   ratio_text(of.tenant.of[i].quantile(0.5) / median),
                   ratio_text(of.loaded.of[i].quantile(0.5) / median),
                   of.cold.of.empty() ? "" : time_text(of.cold.of[i].quantile(0.5))});
    }
    return table;
}

[[nodiscard]] boost::json::object json_of(const std::vector<query_times>& of,
                                          const std::vector<query_times>& plain = {}) {
    boost::json::object all;
    for (std::size_t i = 0; i < of.size(); ++i) {
        boost::json::object one;
        for (const auto& [name, part] :
             {std::pair{"p50", 0.5}, std::pair{"p95", 0.95}, std::pair{"p99", 0.99}}) {
            one[name] = of[i].quantile(part);
        }
        // In the order in which they ran.
        one["seconds"] = boost::json::array(of[i].seconds.begin(), of[i].seconds.end());
        if (!plain.empty() && !plain[i].seconds.empty()) {
            one["plain_p50"] = plain[i].quantile(0.5);
        }
        all[std::format("{} {}", label_of(all_queries[i]), explain(all_queries[i]))] = one;
    }
    return all;
}

}  // namespace

std::vector<target_row> query_targets(const std::vector<dataset_results>& all) {
    std::vector<target_row> rows;
    constexpr std::size_t ratios = 3;
    rows.reserve(goals.size() + ratios);
    for (const goal& each : goals) rows.push_back(time_target(all, each));
    const dataset_results& first = all.front();
    rows.push_back(
        ratio_row("Q6", "as a tenant over the owner", first.tenant, first.owner, as_tenant_most));
    const auto made_up = [](const dataset_results& each) { return !each.what.recorded; };
    const auto smallest = std::ranges::find_if(all, made_up);
    const dataset_results& base = smallest == all.end() ? first : *smallest;
    rows.push_back(
        ratio_row("Q7", "during full ingest over idle", base.loaded, base.owner, grown_most));
    if (all.back().rows > base.rows) {
        rows.push_back(
            ratio_row("Q7",
                      std::format("{} rows over {}", tickd::format_count(all.back().rows),
                                  tickd::format_count(base.rows)),
                      all.back().owner, base.owner, grown_most));
    }
    return rows;
}

report query_report(const std::vector<dataset_results>& all) {
    report what{.name = "query",
                .title = "A million ticks back: segments and candles beside plain SQL, in one run"};
    const auto targets = query_targets(all);
    what.sections.push_back(
        {.heading = "Targets",
         .table = target_table(targets),
         .notes = {
             "Q1 is read through the client library (clients/cpp), Q2 to Q5 are rows through "
             "SQL in binary.",
             "All are warm: the tables are in the server's buffers or the kernel's. The column "
             "`cold`: the median on a server that was just started, nothing of its files in "
             "memory, first query of a connection."}});
    boost::json::object results{{"targets", to_json(targets)}};
    for (const dataset_results& each : all) {
        std::vector<std::string> notes;
        notes.push_back(each.owner.difference.empty()
                            ? "Ticks, aggregates, candles and the latest tick are equal to those "
                              "of the rows."
                            : "NOT EQUAL to the rows: " + each.owner.difference);
        if (each.cold.kept_bytes != 0) {
            notes.push_back(std::format(
                "Cold: the kernel kept {} of the server's files.",
                value_text(static_cast<double>(each.cold.kept_bytes), target_unit::bytes)));
        }
        what.sections.push_back(
            {.heading = std::format("{}: {}, {} rows", each.what.name, each.what.description,
                                    tickd::format_count(each.rows)),
             .table = times_table(each),
             .notes = std::move(notes)});
        results[each.what.name] = {{"rows", each.rows},
                                   {"owner", json_of(each.owner.of, each.owner.plain)},
                                   {"tenant", json_of(each.tenant.of)},
                                   {"during_ingest", json_of(each.loaded.of)},
                                   {"cold", json_of(each.cold.of)},
                                   {"difference", each.owner.difference}};
    }
    what.results = std::move(results);
    return what;
}

}  // namespace bench
