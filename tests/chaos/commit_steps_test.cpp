// kill -9 at each step of a commit: the server has come as far as its n-th answer, nobody has heard
// of it, and then tickd or the server dies. For the lane's connection, the notary's and the
// compactor's. After each the activity log verifies, and in the end nothing is missing or twice.
#include <catch2/catch_test_macros.hpp>

#include <format>
#include <fstream>

#include "daemon/verify/activity_verification.h"
#include "tests/chaos/chaos_form.h"
#include "tests/chaos/chaos_site.h"
#include "tests/support/tamper_site.h"
#include "tests/support/tcp_gate.h"

using namespace tickd;
using namespace tickd::test;

namespace {

// A connection's first answers are those of its start; then come some batches, each of about
// twenty.
constexpr int steps_max = 100;

std::string notary_settings(const temporary_folder& folder) {
    const ended_process made = run_tickd(
        {"notary", "key", "new", "--out", folder.file("key"), "--name", "example.com/steps"});
    REQUIRE(made.exit_code == 0);
    std::ofstream(folder.file("vkey")) << made.out;
    return std::format(
        "notary:\n  key_file: {}\n  state_file: {}\n  export_folder: {}\n  heartbeat: 1s\n",
        folder.file("key"), folder.file("state"), folder.file("outside"));
}

struct stepped_site {
    private_cluster cluster;
    temporary_folder folder;
    tcp_gate gate{"unix:" + cluster.directory() + "/.s.PGSQL.5432"};
    chaos_site site{cluster, through_port(gate.port()), "30s", notary_settings(folder)};

    void check_log() {
        verification_request asked;
        asked.target.conninfo = site.conninfo();
        const auto report = verify_activity(asked, [](auto, auto) {});
        if (!report) FAIL(report.error());
        CHECK(texts_of(report->found) == std::set<finding_text>{});
        CHECK(site.daemon().logged("STOPPED") == 0);
    }
};

}  // namespace

TEST_CASE("kill -9 at each step of a commit of the lane, the notary and the compactor") {
    stepped_site at;
    at.site.add_producers(2, 400);
    REQUIRE(at.site.await_acked(200));
    chaos_luck luck(9);
    const std::string users[] = {"tickd_ingest", "tickd_notary", "tickd_compactor"};
    // All of them in the long form; in the short one those that luck chooses.
    const int stride = long_form() ? 1 : 16;
    for (const std::string& user : users) {
        for (int step = 1 + static_cast<int>(luck.between(0, static_cast<unsigned>(stride) - 1));
             step <= steps_max; step += stride) {
            const bool kill_server = luck.between(0, 1) == 1;
            INFO("seed " << chaos_seed() << ", " << user << ", answer " << step
                         << (kill_server ? ", the server" : ", tickd"));
            const std::uint64_t before = at.gate.muted();
            at.gate.plan_faults([&](std::uint64_t) {
                return gate_fault{.answers_max = static_cast<std::uint64_t>(step), .user = user};
            });
            at.gate.cut_all();
            REQUIRE(await_condition([&] { return at.gate.muted() > before; }));
            if (kill_server) {
                at.cluster.kill_hard();
                at.gate.plan_faults({});
                at.gate.cut_all();
                at.cluster.start();
            } else {
                at.site.daemon().kill_hard();
                at.gate.plan_faults({});
                at.gate.cut_all();
                at.site.start_daemon();
            }
            at.check_log();
            REQUIRE(at.site.await_acked(50));
            tell(std::format("{}, answer {}: {} killed", user, step,
                             kill_server ? "the server" : "tickd"));
        }
    }
    at.site.finish_and_compare();
    at.check_log();
}
