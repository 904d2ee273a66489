// The status page's object: what becomes of every figure, and that it is JSON whatever names hold.
#include <catch2/catch_test_macros.hpp>

#include <simdjson.h>

#include <string>
#include <string_view>

#include "daemon/admin/status_json.h"
#include "daemon/admin/status_reading.h"

namespace {

using namespace tickd;
namespace dom = simdjson::dom;

class parsed {
public:
    explicit parsed(const status_figures& of) : text_(status_json(of)) {
        REQUIRE(parser_.parse(text_).get(root_) == simdjson::SUCCESS);
    }
    // By a JSON pointer.
    [[nodiscard]] dom::element at(std::string_view pointer) const {
        dom::element found;
        INFO(pointer);
        REQUIRE(root_.at_pointer(pointer).get(found) == simdjson::SUCCESS);
        return found;
    }
    [[nodiscard]] std::int64_t number(std::string_view pointer) const {
        INFO(pointer);
        return at(pointer).get_int64().value();
    }
    [[nodiscard]] std::string text(std::string_view pointer) const {
        return std::string(at(pointer).get_string().value());
    }
    [[nodiscard]] const std::string& json() const { return text_; }

private:
    dom::parser parser_;
    std::string text_;
    dom::element root_;
};

producer_status producer_named(const std::string& name, std::uint64_t received,
                               std::int64_t lag_us = 0) {
    return {.name = name, .received = received, .committed = received - 1, .lag_us = lag_us};
}

TEST_CASE("a daemon that has done nothing says so without figures it has not", "[status]") {
    const parsed seen{status_figures{}};
    for (const std::string_view nothing :
         {"/database_away_since_us", "/notary", "/compactor", "/latency/receive_to_commit/p50_us",
          "/latency/commit/p999_us"}) {
        INFO(nothing);
        CHECK(seen.at(nothing).is_null());
    }
    CHECK(seen.number("/latency/receive_to_commit/count") == 0);
    CHECK(seen.at("/lanes").get_array().size() == 0);
    CHECK(seen.at("/producers").get_array().size() == 0);
    CHECK(seen.at("/refused").get_array().size() == 0);
    CHECK_FALSE(seen.json().contains('\n'));
}

TEST_CASE("every figure is where the page looks for it", "[status]") {
    status_figures of;
    of.now_us = 1'764'324'000'123'456;
    of.started_at_us = 1'764'320'000'000'000;
    of.version = "0.1.0";
    of.unready = {"lane 1: not connected to the database"};
    of.database_away_since_us = 1'764'323'990'000'000;
    of.totals = {
        .received_bytes = 5000, .received = 60, .ticks = 40, .events = 10, .dead_letters = 3};
    of.duplicates = 7;
    of.rates = {.received_bytes = 1000.4, .received = 12.5, .ticks = 8, .events = 2};
    of.received_a_second = {1, 2, 3};
    of.committed_a_second = {0, 0, 4'000'000'000};
    of.latency_window_s = 60;
    of.latencies[0] = {.count = 50, .p50_us = 900, .p99_us = 4000, .p999_us = 70'000};
    of.latencies[4] = {.count = 5, .p50_us = 800, .p99_us = 3000, .p999_us = 3000};
    of.spool_bytes_max = 1 << 30;
    of.lanes = {{.number = 0, .connected = true, .sessions = 2, .committed_at_us = 17},
                {.number = 1, .stuck = "its writer", .in_flight = 9, .spooled = 8, .failures = 3}};
    of.refused = {{"not_json", 2}, {"too_precise", 1}};
    of.turned_away = 4;
    of.notary = notary_status{.stopped = true, .log_records = 20, .signed_records = 18};
    of.compactor = compactor_status{.connected = true, .candles = 11, .done_at_us = 99};

    const parsed seen{of};
    CHECK(seen.number("/now_us") == 1'764'324'000'123'456);
    CHECK(seen.text("/unready/0") == "lane 1: not connected to the database");
    CHECK(seen.number("/database_away_since_us") == 1'764'323'990'000'000);
    CHECK(seen.number("/totals/ticks") == 40);
    CHECK(seen.number("/totals/duplicates") == 7);
    CHECK(seen.number("/rates/received_bytes") == 1000);
    CHECK(seen.number("/rates/received") == 13);
    CHECK(seen.number("/seconds/received/2") == 3);
    CHECK(seen.number("/seconds/committed/2") == 4'000'000'000);
    CHECK(seen.number("/latency/window_s") == 60);
    CHECK(seen.number("/latency/receive_to_commit/p99_us") == 4000);
    CHECK(seen.number("/latency/commit/p999_us") == 3000);
    CHECK(seen.at("/latency/seal/p50_us").is_null());
    CHECK(seen.at("/lanes/0/connected").get_bool().value());
    CHECK(seen.number("/lanes/0/committed_at_us") == 17);
    CHECK(seen.at("/lanes/1/committed_at_us").is_null());
    CHECK(seen.text("/lanes/1/stuck") == "its writer");
    CHECK(seen.number("/lanes/1/spooled") == 8);
    CHECK(seen.number("/lanes/1/failures") == 3);
    CHECK(seen.number("/spool_bytes_max") == 1 << 30);
    CHECK(seen.text("/refused/0/verdict") == "not_json");
    CHECK(seen.number("/refused/1/count") == 1);
    CHECK(seen.number("/turned_away") == 4);
    CHECK(seen.at("/notary/stopped").get_bool().value());
    CHECK(seen.number("/notary/signed_records") == 18);
    CHECK(seen.at("/notary/signed_at_us").is_null());
    CHECK(seen.number("/compactor/candles") == 11);
    CHECK(seen.number("/compactor/done_at_us") == 99);
}

TEST_CASE("names come out as they went in, and watermarks whole", "[status]") {
    status_figures of;
    const std::string name = "a\"b\\c</script>\x01\xC3\xA9";
    producer_status odd = producer_named(name, 2);
    odd.watermark = 9'223'372'036'854'775'807ULL;
    of.producers = {odd};
    const parsed seen{of};
    CHECK(seen.text("/producers/0/producer") == name);
    CHECK(seen.text("/producers/0/watermark") == "9223372036854775807");
}

TEST_CASE("who lags comes first, then who has sent most, and the rest is summed up", "[status]") {
    status_figures of;
    choose_producers({producer_named("few", 10), producer_named("many", 1000),
                      producer_named("late", 20, 2'000'000), producer_named("later", 5, 9'000'000),
                      producer_named("brisk", 500, 900'000), producer_named("", 7777)},
                     4, of);
    REQUIRE(of.producers.size() == 4);
    CHECK(of.producers[0].name == "later");
    CHECK(of.producers[1].name == "late");
    CHECK(of.producers[2].name == "many");
    CHECK(of.producers[3].name == "brisk");
    CHECK(of.more_producers == 1);
    CHECK(of.rest.received == 10 + 7777);
    CHECK(of.rest.committed == 9 + 7776);
}

}  // namespace
