// A few records that nobody can use among very many: those become dead letters, the others rows.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <format>

#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"

using namespace tickd::test;

namespace {

struct poison {
    std::string_view verdict, sqlstate;
    std::string rest;  // of the record, behind its seq
};

std::string poison_tick(std::string_view symbol) {
    return std::format("\"symbol\":\"{}\",\"bid\":1,\"ask\":1}}", symbol);
}

// Five that tickd refuses, five that it takes and the server refuses.
std::vector<poison> ten_kinds() {
    return {
        {"not_json", "", R"("symbol":"S","bid":1,)"},
        {"too_precise", "", R"("symbol":"S","bid":1e-9,"ask":1})"},
        {"not_utf8", "", "\"symbol\":\"a\xff\",\"bid\":1,\"ask\":1}"},
        {"duplicate_key", "", R"("symbol":"S","bid":1,"bid":1,"ask":1})"},
        {"line_too_long", "", "\"x\":\"" + std::string(std::size_t{1100} * 1024, 'x') + "\"}"},
        {"refused_by_server", "23514", poison_tick("CHECKED")},
        {"refused_by_server", "22003", poison_tick("POISON-22003")},
        {"refused_by_server", "22P05", poison_tick("POISON-22P05")},
        {"refused_by_server", "23502", poison_tick("POISON-23502")},
        {"refused_by_server", "22023",
         R"("agent_id":"a","action_type":"POISON-22023","action_payload":1})"},
    };
}

// The server refuses rows that nothing is wrong with, with the state that they name.
constexpr const char* refusals = R"(
    ALTER TABLE price_telemetry ADD CONSTRAINT poison CHECK (symbol <> 'CHECKED');
    CREATE FUNCTION refuse_tick() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = substr(NEW.symbol, 8); END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON price_telemetry FOR EACH ROW
        WHEN (NEW.symbol LIKE 'POISON-%') EXECUTE FUNCTION refuse_tick();
    CREATE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = substr(NEW.action_type, 8); END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON unified_activity_log FOR EACH ROW
        WHEN (NEW.action_type LIKE 'POISON-%') EXECUTE FUNCTION refuse_event();)";

}  // namespace

TEST_CASE("ten poison records of ten kinds cost their neighbours nothing") {
    chaos_site site(shared_cluster());
    auto sql = site.sql();
    run(sql, "SET tickd.migration = 'on'");  // or the log's guard refuses
    run(sql, refusals);
    const std::vector<poison> kinds = ten_kinds();
    const auto records = static_cast<std::uint64_t>(how_many(50'000, 1'000'000));
    const std::uint64_t between = records / kinds.size();
    site.add_producer({.name = "feed",
                       .address = site.address(),
                       .unacked_max = 100'000,
                       .records_max = records,
                       .append = [&](std::uint64_t seq, std::string& to) {
                           std::format_to(std::back_inserter(to), "{{\"seq\":{},", seq);
                           if (seq % between == between / 3) {
                               to += kinds[seq / between].rest;
                           } else {
                               std::format_to(std::back_inserter(to),
                                              "\"symbol\":\"S\",\"bid\":{},\"ask\":1}}", seq);
                           }
                           to += '\n';
                       }});
    acked_producer& producer = *site.producers().back();
    REQUIRE(await_condition([&] { return producer.sent() == records; }, std::chrono::minutes(10)));
    REQUIRE(producer.finish());
    CHECK(producer.complaints().empty());
    CHECK(producer.rejected() == kinds.size());
    const std::string rest = std::to_string(records - kinds.size());
    CHECK(rows(sql, "SELECT count(*), count(DISTINCT bid) FROM price_telemetry") ==
          text_rows{{rest, rest}});
    CHECK(one(sql, "SELECT count(*) FROM unified_activity_log") == "0");
    text_rows expected;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        expected.push_back({std::to_string(i * between + between / 3),
                            std::string(kinds[i].verdict),
                            kinds[i].sqlstate.empty() ? "\\N" : std::string(kinds[i].sqlstate)});
    }
    CHECK(rows(sql, "SELECT seq, verdict, sqlstate FROM tickd.dead_letter ORDER BY seq") ==
          expected);
    CHECK(site.daemon().stop() == 0);
}
