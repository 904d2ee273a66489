// What goes in over TCP comes out of SQL equal, compared as text. What SQL must answer is worked
// out here on strings of digits, apart from the daemon's own decimals and times; JSON is compared
// with what the server makes of the text that was sent.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <format>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/json_documents.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;
namespace chrono = std::chrono;

namespace {

constexpr int random_ticks = 100'000;

using optional_string = std::optional<std::string>;

struct spelled {
    std::string json;      // as it is sent
    optional_string text;  // as SQL must print it
};

// One tick: its line and the row that must come of it.
struct sample {
    std::string line;
    // symbol, time (nothing: arrival), bid, ask, mid (nothing: the default), volume, source,
    // metadata as JSON in any form
    std::vector<optional_string> row;
};

class sample_generator {
public:
    explicit sample_generator(std::uint64_t seed) : random_(seed), documents_(seed + 1) {}

    sample next(int key);
    // `digits` counts 10^-8.
    spelled decimal(std::string digits, bool negative);

private:
    std::size_t below(std::size_t end) { return random_() % end; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    std::string digits(std::size_t count_max);
    std::string exponent_form(std::string mantissa);
    spelled price() { return decimal(digits(20), one_in(4)); }
    spelled time();
    std::string rfc3339(chrono::sys_time<chrono::microseconds> at);
    std::string text(std::size_t chars_max);
    std::string literal(const std::string& text);
    std::string document();

    std::mt19937_64 random_;
    document_generator documents_;
};

std::string sample_generator::digits(std::size_t count_max) {
    std::string all;
    for (std::size_t left = 1 + below(count_max); left > 0; --left) {
        all += static_cast<char>('0' + below(10));
    }
    all.erase(0, std::min(all.find_first_not_of('0'), all.size() - 1));
    return all;
}

// The same number as mantissa and exponent, with the point anywhere.
std::string sample_generator::exponent_form(std::string mantissa) {
    long exponent = -8;
    while (mantissa.size() > 1 && mantissa.back() == '0') {
        mantissa.pop_back();
        ++exponent;
    }
    const std::size_t before = 1 + below(mantissa.size());
    exponent += static_cast<long>(mantissa.size() - before);
    if (before < mantissa.size()) mantissa.insert(before, ".");
    if (one_in(3)) mantissa += before < mantissa.size() ? "00" : ".0";
    mantissa += one_in(2) ? 'e' : 'E';
    if (exponent < 0) return mantissa + std::format("{}", exponent);
    return mantissa + (one_in(2) ? "+" : "") + (one_in(3) ? "0" : "") + std::to_string(exponent);
}

spelled sample_generator::decimal(std::string digits, bool negative) {
    const bool zero = digits == "0";
    std::string plain = digits;
    if (plain.size() < 9) plain.insert(0, 9 - plain.size(), '0');
    plain.insert(plain.size() - 8, ".");
    std::string json = plain;
    switch (below(4)) {
        case 0: break;
        case 1:
            json.erase(json.find_last_not_of('0') + 1);
            if (json.back() == '.') json.pop_back();
            break;
        case 2: json += std::string(below(30), '0'); break;
        default: json = exponent_form(digits); break;
    }
    if (negative) json.insert(0, "-");
    if (one_in(3)) json = '"' + json + '"';
    return {json, negative && !zero ? '-' + plain : plain};
}

std::string sample_generator::rfc3339(chrono::sys_time<chrono::microseconds> at) {
    const auto offset = chrono::minutes(static_cast<long>(below(2 * 1439 + 1)) - 1439);
    const bool utc = one_in(2);
    const auto shown = utc ? at : at + offset;
    std::string text = std::format("{:%FT%T}", shown);  // six decimals
    const auto decimals = chrono::floor<chrono::seconds>(at) == at ? below(3) : 2;
    if (decimals == 0) text.erase(19);
    if (decimals == 1) text.erase(20 + below(6) + 1);
    if (decimals == 2 && one_in(2)) text += std::string(1 + below(3), '9');  // cut, not rounded
    if (one_in(5)) text[10] = one_in(2) ? 't' : ' ';
    if (utc) return '"' + text + (one_in(4) ? "z\"" : "Z\"");
    const auto minutes = offset < chrono::minutes{0} ? -offset : offset;
    return std::format("\"{}{}{:%H:%M}\"", text, offset < chrono::minutes{0} ? '-' : '+',
                       chrono::hh_mm_ss(minutes));
}

spelled sample_generator::time() {
    using chrono::sys_days;
    using namespace std::chrono_literals;
    // A few days, for each makes a chunk: a leap day, a century's first, one in summer.
    static const std::array days{sys_days(2024y / 2 / 28),  sys_days(2024y / 2 / 29),
                                 sys_days(2024y / 3 / 1),   sys_days(2000y / 1 / 1),
                                 sys_days(1999y / 12 / 31), sys_days(2023y / 7 / 14)};
    constexpr std::int64_t day_us = 86'400'000'000;
    chrono::sys_time<chrono::microseconds> at =
        days[below(days.size())] + chrono::microseconds(below(day_us));
    const std::size_t form = below(8);
    if (form == 0) return {"null", {}};
    if (form == 1 || form == 5) at = chrono::floor<chrono::seconds>(at);
    if (form == 2) at = chrono::floor<chrono::milliseconds>(at);
    const std::int64_t us = at.time_since_epoch().count();
    const std::string text = std::format("{:%FT%T}Z", at);
    if (form == 1) return {std::to_string(us / 1'000'000), text};
    if (form == 2) return {std::to_string(us / 1'000), text};
    if (form == 3) return {std::to_string(us), text};
    if (form == 4) return {std::format("{}{:03}", us, below(1000)), text};
    return {rfc3339(at), text};
}

std::string sample_generator::text(std::size_t chars_max) {
    static const std::array<std::string, 16> characters{
        "A", "Z", "0", ".", "-", "/", " ", "\"", "\\", "\t", "\x01", "é", "ß", "€", "日", "𝔘"};
    std::string all;
    for (std::size_t left = below(chars_max + 1); left > 0; --left) {
        all += characters[one_in(2) ? below(3) : below(characters.size())];
    }
    return all;
}

// A JSON string of the text: what must be escaped is, and some of what need not be.
std::string sample_generator::literal(const std::string& text) {
    std::string json = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view rest = std::string_view(text).substr(i);
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == '"' || byte == '\\' || (byte < 0x80 && one_in(20))) {
            json += std::format("\\u{:04x}", byte);
        } else if (rest.starts_with("€") && one_in(2)) {
            json += "\\u20AC";
            i += 2;
        } else if (rest.starts_with("𝔘") && one_in(2)) {
            json += "\\ud835\\uDD18";
            i += 3;
        } else {
            json += text[i];
        }
    }
    return json + '"';
}

// Any JSON value, on one line.
std::string sample_generator::document() {
    std::string json = documents_.next_valid();
    std::ranges::replace(json, '\n', ' ');
    return json;
}

sample sample_generator::next(int key) {
    const std::string symbol = text(13) + '#' + std::to_string(key);
    const spelled bid = price(), ask = price(), mid = price();
    const spelled volume = decimal(digits(30), false);
    const spelled at = time();
    const std::string source = text(49) + 'x';
    std::vector<std::string> fields{"\"symbol\":" + literal(symbol), "\"bid\":" + bid.json,
                                    "\"ask\" : " + ask.json};
    sample made{{}, {symbol, at.text, bid.text, ask.text, {}, {}, "gäste", {}}};
    const auto add = [&](std::string field) { fields.push_back(std::move(field)); };
    if (at.text || one_in(2)) add("\"time\":" + at.json);
    if (one_in(4)) {
        add("\"mid\":" + mid.json);
        made.row[4] = mid.text;
    }
    if (one_in(2)) {
        add("\"volume\":" + volume.json);
        made.row[5] = volume.text;
    } else if (one_in(4)) {
        add("\"volume\":null");
    }
    if (one_in(2)) {
        add("\"source\":" + literal(source));
        made.row[6] = source;
    } else if (one_in(4)) {
        add("\"source\":null");
    }
    std::string metadata;
    if (one_in(3)) {
        metadata = one_in(3) ? "" : std::format("\"n\": {}, \"doc\":{}", key, document());
        add("\"metadata\": {" + metadata + "}");
        made.row[7] = "{" + metadata + "}";
    }
    if (one_in(6)) {
        const std::string unknown = "\"x_" + std::to_string(below(9)) + "\":" + document();
        add(unknown);
        made.row[7] = "{" + metadata + (metadata.empty() ? "" : ",") + unknown + "}";
    }
    if (one_in(2)) add("\"type\":\"tick\"");
    std::ranges::shuffle(fields, random_);
    made.line = "{";
    for (const std::string& field : fields) {
        if (made.line.size() > 1) made.line += one_in(4) ? " ,\t" : ",";
        made.line += field;
    }
    made.line += one_in(10) ? "}\r\n" : "}\n";
    return made;
}

std::string edge_line(int key, const std::string& fields) {
    return std::format("{{\"symbol\":\"edge#{}\",{}}}\n", key, fields);
}

// What is not random enough to be met by chance.
std::vector<sample> edge_samples() {
    const std::string twelve_nines = "999999999999.99999999";
    const std::string most_volume = "9999999999999999999999.99999999";
    const std::vector<spelled> prices{
        {"0.00000001", "0.00000001"},
        {"-0.00000001", "-0.00000001"},
        {twelve_nines, twelve_nines},
        {'-' + twelve_nines, '-' + twelve_nines},
        {'"' + twelve_nines + '"', twelve_nines},
        {"-0", "0.00000000"},
        {"-0.0", "0.00000000"},
        {"\"-0e-400\"", "0.00000000"},
        {"0e999999999999999999999", "0.00000000"},
        {"1E5", "100000.00000000"},
        {"1e+05", "100000.00000000"},
        {"\"1E5\"", "100000.00000000"},
        {"1e-8", "0.00000001"},
        {"10e-9", "0.00000001"},
        {"0.1", "0.10000000"},
        {"0.1" + std::string(400, '0'), "0.10000000"},
        {"99999999999999999999e-8", twelve_nines},
        {"0." + std::string(380, '0') + "1e381", "1.00000000"},
        {"100000000000" + std::string(300, '0') + "e-300", "100000000000.00000000"},
    };
    std::vector<sample> all;
    const auto add = [&](const std::string& fields, std::vector<optional_string> values) {
        const int key = static_cast<int>(all.size());
        values.insert(values.begin(), std::format("edge#{}", key));
        all.push_back({edge_line(key, fields), std::move(values)});
    };
    for (const auto& [json, text] : prices) {
        add("\"bid\":" + json + ",\"ask\":" + json, {{}, text, text, text, {}, "gäste", {}});
    }
    const std::string two = "\"bid\":1,\"ask\":1";
    const optional_string unit = "1.00000000";
    for (const std::string& volume : {most_volume, std::string("0.00000001")}) {
        add(two + ",\"volume\":" + volume, {{}, unit, unit, unit, volume, "gäste", {}});
    }
    // The default mid ends in half a unit: away from zero.
    add("\"bid\":0.00000001,\"ask\":0.00000002",
        {{}, "0.00000001", "0.00000002", "0.00000002", {}, "gäste", {}});
    add("\"bid\":-0.00000001,\"ask\":-0.00000002",
        {{}, "-0.00000001", "-0.00000002", "-0.00000002", {}, "gäste", {}});
    add("\"bid\":" + twelve_nines + ",\"ask\":-" + twelve_nines,  // crossed
        {{}, twelve_nines, '-' + twelve_nines, "0.00000000", {}, "gäste", {}});
    const std::vector<spelled> times{
        {"\"0001-01-01T00:00:00Z\"", "0001-01-01T00:00:00.000000Z"},
        {"\"1969-12-31T23:59:59.9999999Z\"", "1969-12-31T23:59:59.999999Z"},
        {"0", "1970-01-01T00:00:00.000000Z"},
        {"-1", "1969-12-31T23:59:59.000000Z"},
        {"\"1970-01-01T00:59:59.5+01:00\"", "1969-12-31T23:59:59.500000Z"},
        {"1723161254", "2024-08-08T23:54:14.000000Z"},
        {"1723161254024", "2024-08-08T23:54:14.024000Z"},
        {"1723161254024619", "2024-08-08T23:54:14.024619Z"},
        {"1723161254024619999", "2024-08-08T23:54:14.024619Z"},
        {"\"2024-02-29T23:59:59.123456789-23:59\"", "2024-03-01T23:58:59.123456Z"},
        {"\"2024-08-09 01:54:14.024619+02:00\"", "2024-08-08T23:54:14.024619Z"},
    };
    for (const auto& [json, text] : times) {
        add(two + ",\"time\":" + json, {text, unit, unit, unit, {}, "gäste", {}});
    }
    return all;
}

// Rows of both sides that have no equal on the other; empty when all is well.
text_rows differences(tickd::pg_connection& sql, const std::string& started) {
    return rows(sql, R"(
        SELECT e.*, '<>', t.symbol, t.at, t.bid::text, t.ask::text, t.mid::text, t.volume::text,
               t.source, t.metadata::text
          FROM expected e
          FULL JOIN (SELECT *, to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                               AS at
                       FROM price_telemetry) t
            ON t.symbol::text = e.symbol
         WHERE t.symbol IS NULL OR e.symbol IS NULL
            OR CASE WHEN e.time IS NULL THEN t.time NOT BETWEEN $1::timestamptz AND now()
                    ELSE t.at <> e.time END
            OR t.bid::text <> e.bid OR t.ask::text <> e.ask
            OR t.mid::text IS DISTINCT FROM coalesce(e.mid, round((t.bid + t.ask) * 0.5, 8)::text)
            OR t.volume::text IS DISTINCT FROM e.volume
            OR t.source IS DISTINCT FROM e.source
            OR t.metadata::text IS DISTINCT FROM e.metadata::jsonb::text
            OR t.tenant_id IS NOT NULL
         LIMIT 5)",
                {started});
}

}  // namespace

TEST_CASE("ticks come out of SQL as they went in over TCP", "[ingest_values]") {
    ingest_site site({}, "  - address: 127.0.0.1:0\n    source: \"gäste\"");
    const std::string started = one(site.sql(), "SELECT now()");
    run(site.sql(), R"(CREATE TEMP TABLE expected (symbol text COLLATE "C", time text, bid text,
                       ask text, mid text, volume text, source text, metadata text))");
    std::vector<sample> all = edge_samples();
    const std::size_t edges = all.size();
    sample_generator generator(20'240'808);
    for (int i = 0; i < random_ticks; ++i) all.push_back(generator.next(i));

    // Pieces of any size, so that lines are cut anywhere.
    std::string stream;
    std::vector<std::vector<optional_string>> expected;
    for (sample& each : all) {
        stream += each.line;
        expected.push_back(std::move(each.row));
    }
    std::mt19937_64 random(7);
    tcp_client client(site.address());
    for (std::string_view left = stream; !left.empty();) {
        const std::string_view piece = left.substr(0, 1 + random() % 100'000);
        client.send(piece);
        left.remove_prefix(piece.size());
    }
    copy_texts(site.sql(), "expected", expected);
    run(site.sql(), "ANALYZE expected");
    REQUIRE(site.await_records(all.size()));

    CHECK(rows(site.sql(),
               "SELECT verdict, field, convert_from(raw, 'UTF8') FROM tickd.dead_letter"
               " LIMIT 5") == text_rows{});
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry") == std::to_string(all.size()));
    CHECK(differences(site.sql(), started) == text_rows{});
    CHECK(one(site.sql(), "SELECT count(*) FROM price_telemetry WHERE symbol LIKE 'edge#%'") ==
          std::to_string(edges));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("excess digits are rounded where that is wanted", "[ingest_values]") {
    ingest_site site("records:\n  excess_digits: round");
    const std::vector<std::array<std::string, 2>> cases{
        {"1e-9", "0.00000000"},
        {"5e-9", "0.00000001"},
        {"-5e-9", "-0.00000001"},
        {"0.123456784999", "0.12345678"},
        {"0.123456785", "0.12345679"},
        {"0.30000000000000004", "0.30000000"},
        {"999999999999.999999994", "999999999999.99999999"},
    };
    tcp_client client(site.address());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        client.send(std::format("{{\"symbol\":\"r{}\",\"bid\":{},\"ask\":0}}\n", i, cases[i][0]));
    }
    REQUIRE(site.await_records(cases.size()));
    const text_rows got = rows(site.sql(), "SELECT bid FROM price_telemetry ORDER BY symbol");
    REQUIRE(got.size() == cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) CHECK(got[i][0] == cases[i][1]);
    CHECK(site.daemon().stop() == 0);
}
