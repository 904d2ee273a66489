// Which dead letters a filter means, as SQL.
#include <catch2/catch_test_macros.hpp>

#include "daemon/deadletter/letter_filter.h"

using namespace tickd;

TEST_CASE("a filter becomes a condition, its values parameters", "[letter_filter]") {
    letter_filter filter;
    CHECK_FALSE(filter.selects());
    CHECK(condition_of(filter).text == "true AND replayed_at IS NULL");
    CHECK(condition_of(filter).parameters.empty());

    filter.state = letter_state::any;
    CHECK(condition_of(filter).text == "true");
    filter.state = letter_state::replayed;
    CHECK(condition_of(filter).text == "true AND replayed_at IS NOT NULL");

    filter.ids = {1, 2};
    filter.verdicts = {"not_json"};
    filter.producers = {"it's ?"};
    filter.since_us = 5;
    filter.until_us = 7;
    CHECK(filter.selects());
    sql_condition condition = condition_of(filter);
    CHECK(condition.text ==
          "true AND id IN ($1::bigint, $2::bigint) AND verdict IN ($3::text)"
          " AND producer IN ($4::text)"
          " AND received_at >= 'epoch'::timestamptz + $5::bigint * interval '1 us'"
          " AND received_at < 'epoch'::timestamptz + $6::bigint * interval '1 us'"
          " AND replayed_at IS NOT NULL");
    CHECK(condition.parameters ==
          std::vector<pg_parameter>{"1", "2", "not_json", "it's ?", "5", "7"});
    condition.add("id > ?", {"9"});
    CHECK(condition.text.ends_with(" AND id > $7"));
}

TEST_CASE("a moment is a time or an age", "[letter_filter]") {
    const std::int64_t now_us = 1'723'161'255'000'000;
    CHECK(parse_moment("2024-08-08T23:54:14Z", now_us) == now_us - 1'000'000);
    CHECK(parse_moment("2h", now_us) == now_us - 7'200'000'000);
    CHECK(parse_moment("0s", now_us) == now_us);
    for (const std::string wrong : {"", "yesterday", "2024-08-08", "2024-08-08T23:54:14", "-2h",
                                    "2", "1.5h", "99999999d", "2024-02-30T00:00:00Z"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_moment(wrong, now_us).has_value());
    }
}
