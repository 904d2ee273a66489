// The acked protocol against the real daemon and server: what is answered, and what is stored once.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <string>

#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/tcp_client.h"

using namespace tickd::test;

namespace {

std::string hello(const std::string& producer, const std::string& more = {}) {
    return std::format("{{\"type\":\"hello\",\"producer\":\"{}\"{}}}\n", producer, more);
}

std::string tick(int seq) {
    return std::format("{{\"seq\":{},\"symbol\":\"S\",\"bid\":{},\"ask\":1}}\n", seq, seq);
}

std::string ticks(int first, int last) {
    std::string lines;
    for (int seq = first; seq <= last; ++seq) lines += tick(seq);
    return lines;
}

std::string welcome(const std::string& producer, int resume_after) {
    return std::format(
        "{{\"type\":\"welcome\",\"version\":1,\"producer\":\"{}\","
        "\"resume_after\":{},\"ack\":\"committed\",\"max_line_bytes\":1048576}}\n",
        producer, resume_after);
}

std::string ack(int seq) { return std::format("{{\"type\":\"ack\",\"seq\":{}}}\n", seq); }

// Sends, ends the stream, and gives everything the daemon says until it closes.
std::string converse(const std::string& address, const std::string& lines) {
    tcp_client client(address);
    client.send(lines);
    client.finish();
    return client.read_to_end().value_or("the daemon did not close");
}

std::string stored(ingest_site& site) {
    return one(site.sql(), "SELECT count(*) || ' ' || count(DISTINCT bid) FROM price_telemetry");
}

}  // namespace

TEST_CASE("a producer is welcomed, acked up to its last record, and resumed there") {
    ingest_site site;
    const std::string first = converse(site.address(), hello("p") + ticks(1, 1000));
    CHECK(first.starts_with(welcome("p", 0)));
    CHECK(first.ends_with(ack(1000)));
    CHECK(stored(site) == "1000 1000");

    CHECK(converse(site.address(), hello("p")) == welcome("p", 1000));
    const std::string again = converse(site.address(), hello("p") + ticks(900, 1100));
    CHECK(again.starts_with(welcome("p", 1000)));
    CHECK(again.ends_with(ack(1100)));
    CHECK(stored(site) == "1100 1100");
    CHECK(rows(site.sql(),
               "SELECT watermark, received, committed, duplicates, dead_lettered"
               " FROM tickd.producer") == text_rows{{"1100", "1201", "1100", "101", "0"}});
}

TEST_CASE("nothing but duplicates is acked again") {
    ingest_site site;
    static_cast<void>(converse(site.address(), hello("p") + ticks(1, 10)));
    CHECK(converse(site.address(), hello("p") + ticks(1, 10)) == welcome("p", 10) + ack(10));
    CHECK(stored(site) == "10 10");
}

TEST_CASE("a refused record is rejected, settled and not dead-lettered twice") {
    ingest_site site;
    const std::string bad = "{\"seq\":2,\"symbol\":\"\",\"bid\":1,\"ask\":1}\n";
    const std::string broken = "{\"seq\":3,\"symbol\":\"S\",\"bid\":1,\n";
    const std::string said =
        converse(site.address(), hello("p") + tick(1) + bad + broken + tick(4));
    CHECK(said.contains("{\"type\":\"reject\",\"seq\":2,\"verdict\":\"empty_text\","));
    CHECK(said.contains("{\"type\":\"reject\",\"seq\":3,\"verdict\":\"not_json\","));
    CHECK(said.ends_with(ack(4)));
    static_cast<void>(converse(site.address(), hello("p") + tick(1) + bad + broken + tick(4)));
    CHECK(rows(site.sql(), "SELECT producer, seq, verdict FROM tickd.dead_letter ORDER BY seq") ==
          text_rows{{"p", "2", "empty_text"}, {"p", "3", "not_json"}});
    CHECK(stored(site) == "2 2");
}

TEST_CASE("a record without a seq is rejected, and the session lives") {
    ingest_site site;
    const std::string said =
        converse(site.address(), hello("p") + "{\"symbol\":\"S\",\"bid\":1,\"ask\":1}\n" + tick(1));
    CHECK(said.contains("{\"type\":\"reject\",\"seq\":null,\"verdict\":\"missing_field\","));
    CHECK(said.ends_with(ack(1)));
    CHECK(stored(site) == "1 1");
}

TEST_CASE("a hello that cannot be read is answered and closed") {
    ingest_site site;
    CHECK(converse(site.address(), hello("") + tick(1))
              .starts_with("{\"type\":\"error\",\"code\":\"bad_hello\","));
    CHECK(converse(site.address(), hello("p", ",\"akc\":\"none\""))
              .starts_with("{\"type\":\"error\",\"code\":\"bad_hello\","));
    CHECK(stored(site) == "0 0");
}

TEST_CASE("ack none is welcomed, hears nothing else, and is still stored once") {
    ingest_site site;
    const std::string greeting = hello("p", ",\"ack\":\"none\"");
    const std::string said = converse(site.address(), greeting + ticks(1, 5));
    CHECK(said.starts_with("{\"type\":\"welcome\","));
    CHECK_FALSE(said.contains("\"type\":\"ack\""));
    REQUIRE(site.await_records(5));
    static_cast<void>(converse(site.address(), greeting + ticks(1, 6)));
    REQUIRE(site.await_records(6));
    CHECK(stored(site) == "6 6");
}

TEST_CASE("the hello's source is the default of its ticks") {
    ingest_site site;
    static_cast<void>(converse(site.address(), hello("p", ",\"source\":\"feed-x\"") + tick(1)));
    CHECK(one(site.sql(), "SELECT source FROM price_telemetry") == "feed-x");
}

TEST_CASE("a newer session of a producer supersedes the older one") {
    ingest_site site;
    tcp_client older(site.address());
    older.send(hello("p") + ticks(1, 50));
    REQUIRE(site.await_records(50));
    CHECK(converse(site.address(), hello("p") + ticks(51, 60)) == welcome("p", 50) + ack(60));
    const std::string told = older.read_to_end().value_or("not closed");
    CHECK(told.contains("{\"type\":\"error\",\"code\":\"superseded\","));
    CHECK(stored(site) == "60 60");
}

TEST_CASE("on SIGTERM acked sessions get drain, their last acks, then a close") {
    ingest_site site;
    tcp_client client(site.address());
    client.send(hello("p") + ticks(1, 200));
    REQUIRE(site.await_records(200));
    CHECK(site.daemon().stop() == 0);
    const std::string told = client.read_to_end().value_or("not closed");
    CHECK(told.contains(ack(200)));
    CHECK(told.contains("{\"type\":\"drain\"}\n"));
}

TEST_CASE("the ledger forgets what nobody can ask for any more") {
    ingest_site site;
    run(site.sql(),
        "INSERT INTO tickd.batch_ledger (lane, epoch, batch_no, committed_at, ticks,"
        " events, dead_letters)"
        " SELECT 0, 0, n, now() - interval '2 hours', 0, 0, 0"
        " FROM generate_series(1, 1000) n");
    static_cast<void>(converse(site.address(), hello("p") + tick(1)));
    CHECK(one(site.sql(), "SELECT count(*) <= 2 FROM tickd.batch_ledger") == "t");
}

TEST_CASE("a killed daemon loses nothing that was acked and resumes at the watermark") {
    ingest_site site;
    tcp_client client(site.address());
    client.send(hello("p") + ticks(1, 500));
    REQUIRE(site.await_records(500));
    site.daemon().kill_hard();
    site.start_again();
    CHECK(converse(site.address(), hello("p") + ticks(1, 600)).starts_with(welcome("p", 500)));
    CHECK(stored(site) == "600 600");
}

TEST_CASE("a backend that is terminated costs a reconnect and nothing else") {
    ingest_site site;
    for (int round = 0; round < 5; ++round) {
        tcp_client client(site.address());
        client.send(hello("p") + ticks(round * 2000 + 1, round * 2000 + 2000));
        static_cast<void>(rows(site.sql(),
                               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE application_name LIKE 'tickd lane%'"));
        client.finish();
        const auto said = client.read_to_end();
        REQUIRE(said);
        CHECK(said->ends_with(ack(round * 2000 + 2000)));
    }
    CHECK(stored(site) == "10000 10000");
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("a second daemon that takes the lane over ends the first, and nothing is doubled") {
    ingest_site site;
    CHECK(converse(site.address(), hello("p") + ticks(1, 100)).ends_with(ack(100)));
    tcp_client client(site.address());
    client.send(hello("p") + tick(101));
    REQUIRE(site.await_records(101));

    daemon_process second(site.yaml());
    REQUIRE(second.ready());
    REQUIRE(second.await_logged("connected, epoch"));
    client.send(tick(102));
    CHECK(site.daemon().wait() == 69);
    CHECK(converse(second.address(), hello("p") + ticks(100, 110)).ends_with(ack(110)));
    CHECK(stored(site) == "110 110");
}
