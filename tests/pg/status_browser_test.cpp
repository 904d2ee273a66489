// The status page in a real browser: it fills in, lives, tells of an outage and its end, asks for
// the secret, shows hostile names as names, and has nothing to complain of. Pictures of it are left
// in the build's folder, for people to look at.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <memory>
#include <string>

#include "tests/support/acked_producer.h"
#include "tests/support/browser.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tenant_site.h"

using namespace tickd::test;

namespace {

constexpr std::string_view with_admin = "admin:\n  address: 127.0.0.1:0\n";

std::string installed_browser() {
    const auto program = browser::program();
    if (!program) SKIP("no browser: the package chromium-headless-shell is not installed");
    return *program;
}

std::string text_of(const std::string& id) {
    return std::format("document.getElementById('{}').textContent", id);
}

std::string shows(const std::string& id, const std::string& text) {
    return std::format("{}.includes('{}')", text_of(id), text);
}

void take_pictures(browser& page, const std::string& what) {
    struct view {
        const char* name;
        int width, height;
        bool dark;
    };
    for (const view& each : {view{"light", 1280, 900, false}, view{"dark", 1280, 900, true},
                             view{"phone", 390, 844, false}, view{"phone-dark", 390, 844, true}}) {
        page.look_with(each.width, each.height, each.dark);
        // The next event draws for the new width.
        const std::string seen = page.value_of(text_of("seen"));
        static_cast<void>(page.await_true(std::format("{} !== '{}'", text_of("seen"), seen)));
        // Nothing sticks out at any width.
        CHECK(page.value_of("document.documentElement.scrollWidth <= window.innerWidth") == "true");
        page.save_picture(
            std::format("{}/status-page-{}-{}.png", TICKD_TEST_OUTPUT, what, each.name));
    }
    page.look_with(1280, 900, false);
}

}  // namespace

TEST_CASE("the page lives through an outage and complains of nothing", "[status_browser]") {
    const std::string program = installed_browser();
    const auto cluster = std::make_unique<private_cluster>();
    const std::string conninfo = migrated_database(*cluster);
    const temporary_folder folder;
    daemon_process daemon(
        daemon_yaml(as_user(conninfo, "tickd_ingest"),
                    std::format("{}lanes:\n  count: 2\nspool:\n  folder: {}\n  max_bytes: 64MiB\n",
                                with_admin, folder.file("spool"))));
    REQUIRE(daemon.ready());
    browser page(program);
    page.look_with(1280, 900, false);
    page.open("http://" + admin_address(daemon) + "/");
    REQUIRE(page.await_true(text_of("state") + " === 'ready'"));

    // A price that walks, so that there is something to draw.
    const auto walk = [](std::uint64_t seq, std::string& to) {
        const std::uint64_t wave = seq % 700 < 350 ? seq % 350 : 350 - seq % 350;
        to += std::format(
            "{{\"seq\":{},\"symbol\":\"EURUSD\",\"bid\":1.{:05},\"ask\":1.{:05},\"time\":{}}}\n",
            seq, 8000 + wave * 3 + seq % 17, 8010 + wave * 3 + seq % 17, 1'723'118'400 + seq);
    };
    acked_producer mixed({.name = "feed-a", .address = daemon.address(), .rate = 2000});
    acked_producer walking(
        {.name = "eurusd", .address = daemon.address(), .rate = 500, .append = walk});
    REQUIRE(page.await_true(shows("producers", "feed-a")));
    REQUIRE(page.await_true(text_of("refused") + " !== '0'"));
    REQUIRE(page.await_true(text_of("ticks") + " !== '0'"));
    const std::string before = page.value_of(text_of("ticks-note"));
    REQUIRE(page.await_true(std::format("{} !== '{}'", text_of("ticks-note"), before)));
    CHECK(page.value_of(text_of("alerts")) == "");

    // The chart, of the symbol that is chosen.
    static_cast<void>(page.value_of(
        "(document.getElementById('symbol').value = 'EURUSD',"
        " document.getElementById('candle-choice').dispatchEvent(new Event('change')))"));
    REQUIRE(page.await_true("document.querySelectorAll('#candles g').length > 10"));
    CHECK(page.value_of("document.querySelectorAll('#throughput path').length") == "3");
    take_pictures(page, "ready");
    CHECK(page.complaints() == std::vector<std::string>{});

    cluster->kill_hard();
    REQUIRE(page.await_true(text_of("state") + " === 'database away'"));
    REQUIRE(page.await_true(shows("alerts", "The database is away since")));
    REQUIRE(page.await_true(shows("candles-none", "Not available")));
    REQUIRE(page.await_true(text_of("spooled") + " !== '0'"));
    take_pictures(page, "outage");
    cluster->start();
    REQUIRE(page.await_true(text_of("state") + " === 'ready'"));
    REQUIRE(page.await_true(text_of("alerts") + " === ''"));
    REQUIRE(page.await_true("document.getElementById('candles-none').hidden"));
    REQUIRE(mixed.finish());
    REQUIRE(walking.finish());
    CHECK(page.complaints() == std::vector<std::string>{});

    // Its end is told, too, and what is shown is said to be old. That it cannot be reached is in
    // the console, rightly so.
    CHECK(daemon.stop() == 0);
    REQUIRE(page.await_true(text_of("state") + " === 'no news'"));
    REQUIRE(page.await_true(shows("alerts", "No news from tickd")));
}

TEST_CASE("names from outside stay text", "[status_browser]") {
    const std::string program = installed_browser();
    ingest_site site(with_admin);
    const std::string hostile = "<img src=x onerror=alert(1)>";
    static_cast<void>(converse(site.address(), hello_line(hostile) + tick_line(1)));
    browser page(program);
    page.open("http://" + admin_address(site.daemon()) + "/");
    REQUIRE(page.await_true(shows("producers", hostile)));
    CHECK(page.value_of("document.querySelectorAll('table img').length") == "0");
    CHECK(page.complaints() == std::vector<std::string>{});
}

TEST_CASE("the page asks for the secret and keeps it in its tab", "[status_browser]") {
    const std::string program = installed_browser();
    const temporary_folder folder;
    const std::string file = folder.write("secret", "correct-horse-battery\n");
    ingest_site site(std::string(with_admin) + "  token_file: " + file + '\n');
    browser page(program);
    page.open("http://" + admin_address(site.daemon()) + "/");
    const auto enter = [&](const std::string& secret) {
        REQUIRE(page.await_true("!document.getElementById('secret').hidden"));
        static_cast<void>(
            page.value_of(std::format("(document.getElementById('secret-text').value = '{}',"
                                      " document.getElementById('secret').requestSubmit())",
                                      secret)));
    };
    enter("wrong-horse-battery-x");
    REQUIRE(page.await_true(shows("secret-note", "That was not it")));
    enter("correct-horse-battery");
    REQUIRE(page.await_true(text_of("state") + " === 'ready'"));
    CHECK(page.value_of("document.getElementById('secret').hidden") == "true");
    // Loaded anew it is still known, and it is in no address.
    page.open("http://" + admin_address(site.daemon()) + "/?again");
    REQUIRE(page.await_true(text_of("state") + " === 'ready'"));
    CHECK(page.value_of("performance.getEntries().some(e => e.name.includes('horse'))") == "false");
}
