// The status page's data over HTTP: what the events say while records flow and when the database
// goes, what a reader can cost, and who is let in.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>
#include <simdjson.h>

#include <format>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/acked_producer.h"
#include "tests/support/event_reader.h"
#include "tests/support/exposition.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tenant_site.h"

using namespace tickd::test;

namespace {

constexpr std::string_view with_admin = "admin:\n  address: 127.0.0.1:0\n";

class object {
public:
    explicit object(const std::string& json) {
        REQUIRE(parser_.parse(json).get(root_) == simdjson::SUCCESS);
    }
    [[nodiscard]] simdjson::dom::element at(std::string_view pointer) const {
        simdjson::dom::element found;
        INFO(pointer);
        REQUIRE(root_.at_pointer(pointer).get(found) == simdjson::SUCCESS);
        return found;
    }
    [[nodiscard]] std::int64_t number(std::string_view pointer) const {
        return at(pointer).get_int64().value();
    }
    [[nodiscard]] std::string text(std::string_view pointer) const {
        return std::string(at(pointer).get_string().value());
    }
    [[nodiscard]] std::size_t size(std::string_view pointer) const {
        return at(pointer).get_array().size();
    }

private:
    simdjson::dom::parser parser_;
    simdjson::dom::element root_;
};

// Reads events until one is as wanted; the test fails when none comes to be.
template <typename Wanted>
std::unique_ptr<object> await_event(event_reader& events, Wanted wanted) {
    std::unique_ptr<object> seen;
    std::string newest;
    const bool came = await_condition([&] {
        const auto next = events.next();
        REQUIRE(next);
        newest = *next;
        seen = std::make_unique<object>(newest);
        return wanted(*seen);
    });
    INFO(newest);
    REQUIRE(came);
    return seen;
}

bool ticks_reach(const object& seen, std::int64_t count) {
    return seen.number("/totals/ticks") == count;
}

void say(const std::string& address, const std::string& lines) {
    static_cast<void>(converse(address, lines));
}

std::string bearer(const std::string& secret) { return "Authorization: Bearer " + secret + "\r\n"; }

}  // namespace

TEST_CASE("events come while records flow, and say what the tables have", "[status_page]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    event_reader events(admin, "/events");
    CHECK(events.answer().status == 200);
    CHECK(events.answer().headers.at("content-type") == "text/event-stream");
    CHECK(events.answer().headers.at("cache-control") == "no-store");
    await_event(events, [](const object& seen) { return seen.size("/unready") == 0; });

    std::string lines = hello_line("feed");
    for (int seq = 1; seq <= 10; ++seq) lines += tick_line(seq);
    say(site.address(), lines + "{\"seq\":11,\"symbol\":\"S\"}\n");
    const auto first =
        await_event(events, [](const object& seen) { return ticks_reach(seen, 10); });
    CHECK(first->number("/totals/received") == 11);
    CHECK(first->number("/totals/dead_letters") == 1);
    CHECK(first->text("/refused/0/verdict") == "missing_field");
    CHECK(first->text("/producers/0/producer") == "feed");
    CHECK(first->text("/producers/0/watermark") == "11");
    CHECK(first->number("/producers/0/dead_lettered") == 1);
    CHECK(first->number("/latency/receive_to_commit/count") == 11);
    CHECK(first->number("/lanes/0/unaccounted") == 0);
    CHECK(first->number("/lanes/0/committed_at_us") > 0);
    CHECK_FALSE(first->text("/version").empty());

    say(site.address(), hello_line("feed") + tick_line(12));
    const auto second =
        await_event(events, [](const object& seen) { return ticks_reach(seen, 11); });
    CHECK(second->number("/now_us") > first->number("/now_us"));
    // The last five minutes begin with the daemon and remember what has just come.
    const auto later = await_event(
        events, [](const object& seen) { return seen.number("/rates/received_bytes") > 0; });
    CHECK(later->size("/seconds/received") >= 1);

    // The same object, once.
    const http_answer once = http_get(admin, "/status.json");
    CHECK(once.status == 200);
    CHECK(once.headers.at("content-type") == "application/json");
    CHECK(ticks_reach(object(once.body), 11));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("an outage is told, and its end", "[status_page]") {
    const auto cluster = std::make_unique<private_cluster>();
    const std::string conninfo = migrated_database(*cluster);
    daemon_process daemon(daemon_yaml(as_user(conninfo, "tickd_ingest"), with_admin));
    REQUIRE(daemon.ready());
    event_reader events(admin_address(daemon), "/events");
    const auto away = [](const object& seen) {
        return !seen.at("/database_away_since_us").is_null();
    };
    await_event(events, [&](const object& seen) { return !away(seen); });
    cluster->kill_hard();
    const auto gone = await_event(events, away);
    CHECK_FALSE(gone->at("/lanes/0/connected").get_bool().value());
    CHECK(gone->text("/unready/0") == "lane 0: not connected to the database");
    CHECK(gone->number("/database_away_since_us") <= gone->number("/now_us"));
    // The admin thread waits for no database: the chart's answer says that there is none.
    const object chart(http_get(admin_address(daemon), "/candles.json").body);
    CHECK_FALSE(chart.at("/available").get_bool().value());
    CHECK_FALSE(chart.text("/reason").empty());
    cluster->start();
    await_event(events, [&](const object& seen) { return !away(seen); });
    CHECK(daemon.stop() == 0);
}

TEST_CASE("candles are exact, up to the newest tick, and of shared ticks alone", "[status_page]") {
    ingest_site site(with_admin, "  - address: 127.0.0.1:0\n    tenant_from_payload: true\n");
    const tenant_site tenants(site);
    const std::string alpha = tenants.add("alpha");
    const auto tick = [](const std::string& symbol, const std::string& time, const std::string& mid,
                         const std::string& more = {}) {
        return std::format("{{\"symbol\":\"{}\",\"time\":\"{}\",\"bid\":{},\"ask\":{}{}}}\n",
                           symbol, time, mid, mid, more);
    };
    say(site.address(),
        tick("A/B", "2024-08-08T12:00:01Z", "1.5") + tick("A/B", "2024-08-08T12:00:59Z", "1.25") +
            tick("A/B", "2024-08-08T12:02:00Z", "2.00000001") +
            tick("A/B", "2024-08-08T12:03:00Z", "9", ",\"tenant\":\"" + alpha + '"') +
            tick("HIDDEN", "2024-08-08T12:03:00Z", "9", ",\"tenant\":\"" + alpha + '"'));
    REQUIRE(site.await_records(5));
    const std::string admin = admin_address(site.daemon());
    const object found(http_get(admin, "/candles.json?symbol=A%2FB&bucket=60&count=10").body);
    REQUIRE(found.at("/available").get_bool().value());
    REQUIRE(found.size("/candles") == 2);
    CHECK(found.number("/candles/0/time_s") == 1'723'118'400);
    CHECK(found.text("/candles/0/open") == "1.50000000");
    CHECK(found.text("/candles/0/close") == "1.25000000");
    CHECK(found.number("/candles/0/ticks") == 2);
    CHECK(found.text("/candles/1/high") == "2.00000001");
    CHECK(found.at("/candles/1/volume").is_null());
    const object wide(http_get(admin, "/candles.json?symbol=A%2FB&bucket=300&count=1").body);
    REQUIRE(wide.size("/candles") == 1);
    CHECK(wide.number("/candles/0/ticks") == 3);
    CHECK(object(http_get(admin, "/candles.json?symbol=HIDDEN").body).size("/candles") == 0);
    CHECK(http_get(admin, "/candles.json?bucket=61").status == 400);
    // Once they are folded the symbols are known, and the newest of them is what is shown unasked.
    REQUIRE(await_condition([&] {
        const object unasked(http_get(admin, "/candles.json").body);
        return unasked.size("/symbols") == 1 && unasked.text("/symbol") == "A/B";
    }));
    CHECK(one(site.sql(),
              "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
              " AND application_name = 'tickd status page'") == "1");
}

TEST_CASE("streams are bounded, and pages are answered beside them", "[status_page]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    std::vector<std::unique_ptr<event_reader>> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(std::make_unique<event_reader>(admin, "/events"));
        REQUIRE(readers.back()->next());
    }
    CHECK(event_reader(admin, "/events").answer().status == 503);
    CHECK(http_get(admin, "/status.json").status == 200);
    CHECK(http_get(admin, "/healthz").status == 200);
    for (const auto& each : readers) CHECK(each->next());
    // A place is free again once its reader has gone and the next event does not reach it.
    readers.pop_back();
    REQUIRE(await_condition([&] { return event_reader(admin, "/events").answer().status == 200; }));
    CHECK(site.daemon().stop() == 0);
    CHECK(readers.front()->connection().read_to_end());
}

TEST_CASE("a reader that does not read is closed", "[status_page]") {
    const temporary_folder folder;
    ingest_site site(std::format("admin:\n  address: unix:{}\n", folder.file("admin.sock")));
    const std::string admin = admin_address(site.daemon());
    // Producers make events large, so that the buffer between is full soon.
    for (int i = 0; i < 60; ++i) {
        say(site.address(),
            hello_line(std::format("{}-{}", std::string(90, 'p'), i)) + tick_line(1));
    }
    REQUIRE(site.await_records(60));
    event_reader deaf(admin, "/events");
    CHECK(deaf.connection().await_closed());
    event_reader brisk(admin, "/events");
    const auto event = brisk.next();
    REQUIRE(event);
    const object seen(*event);
    CHECK(seen.size("/producers") == 50);
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("on a network only health is answered without a secret", "[status_page]") {
    ingest_site site("admin:\n  address: 0.0.0.0:0\n");
    const std::string port = admin_address(site.daemon()).substr(std::string("0.0.0.0").size());
    const std::string admin = "127.0.0.1" + port;
    CHECK(site.daemon().logged("only health is answered") == 1);
    for (const char* const path : {"/healthz", "/readyz", "/", "/status.js"}) {
        INFO(path);
        CHECK(http_get(admin, path).status != 403);
    }
    for (const char* const path : {"/metrics", "/status.json", "/events", "/candles.json"}) {
        INFO(path);
        CHECK(http_get(admin, path).status == 403);
    }
}

TEST_CASE("a secret is asked for everywhere, and SIGHUP reads it again", "[status_page]") {
    const temporary_folder folder;
    const std::string file = folder.write("secret", "first-secret-0123\n");
    ingest_site site(std::string(with_admin) + "  token_file: " + file + '\n');
    const std::string admin = admin_address(site.daemon());
    const auto status = [&](std::string_view path, const std::string& header) {
        return http_get(admin, path, header).status;
    };
    for (const char* const path : {"/metrics", "/status.json", "/events", "/candles.json"}) {
        INFO(path);
        CHECK(status(path, {}) == 401);
        CHECK(status(path, bearer("first-secret-0124")) == 401);
    }
    CHECK(http_get(admin, "/metrics").headers.at("www-authenticate").starts_with("Bearer"));
    CHECK(status("/metrics", bearer("first-secret-0123")) == 200);
    CHECK(event_reader(admin, "/events", bearer("first-secret-0123")).next());
    CHECK(status("/", {}) == 200);

    // A file that cannot be used changes nothing.
    static_cast<void>(folder.write("secret", "short\n"));
    ::kill(site.daemon().pid(), SIGHUP);
    REQUIRE(site.daemon().await_logged("nothing was changed"));
    CHECK(status("/metrics", bearer("first-secret-0123")) == 200);
    static_cast<void>(folder.write("secret", "second-secret-0123\n"));
    ::kill(site.daemon().pid(), SIGHUP);
    REQUIRE(
        await_condition([&] { return status("/metrics", bearer("second-secret-0123")) == 200; }));
    CHECK(status("/metrics", bearer("first-secret-0123")) == 401);
    CHECK_FALSE(site.daemon().log().contains("second-secret"));
    CHECK(site.daemon().stop() == 0);
}

TEST_CASE("without the secret's file the daemon does not start", "[status_page]") {
    daemon_process daemon(daemon_yaml("host=/nowhere dbname=none",
                                      std::string(with_admin) + "  token_file: /nowhere/secret\n"));
    CHECK_FALSE(daemon.ready());
    CHECK(daemon.wait() == 78);
    CHECK(daemon.logged("admin.token_file: /nowhere/secret cannot be read") == 1);
}

TEST_CASE("under another domain's name loopback answers nothing that names anybody",
          "[status_page]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    const auto asked_as = [&](const std::string& host) {
        return http_send(admin, std::format("GET /status.json HTTP/1.1\r\nHost: {}\r\n"
                                            "Connection: close\r\n\r\n",
                                            host))
            .status;
    };
    CHECK(asked_as("evil.example") == 403);
    CHECK(asked_as("localhost:1") == 200);
    CHECK(asked_as(admin) == 200);
}

TEST_CASE("the page comes with a policy that lets nothing else in", "[status_page]") {
    ingest_site site(with_admin);
    const std::string admin = admin_address(site.daemon());
    const http_answer page = http_get(admin, "/");
    CHECK(page.status == 200);
    CHECK(page.headers.at("content-type") == "text/html; charset=utf-8");
    const std::string policy = page.headers.at("content-security-policy");
    CHECK(policy.starts_with("default-src 'none';"));
    CHECK_FALSE(policy.contains("unsafe"));
    CHECK_FALSE(policy.contains("http"));
    // Whatever the page names is there, and lies here.
    for (std::size_t at = 0; (at = page.body.find("=\"", at)) != std::string::npos; ++at) {
        const bool link =
            page.body.substr(at - 4, 4) == "href" || page.body.substr(at - 3, 3) == "src";
        if (!link) continue;
        const std::string path = page.body.substr(at + 2, page.body.find('"', at + 2) - at - 2);
        INFO(path);
        CHECK_FALSE(path.contains(':'));
        CHECK(http_get(admin, "/" + path).status != 404);
    }
    CHECK(http_get(admin, "/status.js").headers.at("content-type") ==
          "text/javascript; charset=utf-8");
}
