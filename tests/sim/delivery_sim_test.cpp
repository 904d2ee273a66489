// Exactly once, through everything that can go wrong, on one thread and by the thousand.
//
//     TICKD_SIM_SEED=n    that run alone
//     TICKD_TEST_LONG=1   many more runs
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/sim/sim_world.h"

using tickd::test::sim_counts;
using tickd::test::sim_world;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t runs_default = 500;
#else
constexpr std::uint64_t runs_default = 3'000;
#endif
constexpr std::uint64_t runs_long = 20'000;

void run_seed(std::uint64_t seed, sim_counts& counts) {
    const std::string breach = sim_world(seed, counts).run();
    INFO("again with TICKD_SIM_SEED=" << seed);
    REQUIRE(breach == "");
}

}  // namespace

TEST_CASE("every acked record is kept exactly once", "[sim]") {
    sim_counts counts;
    if (const char* const one = std::getenv("TICKD_SIM_SEED"); one != nullptr) {
        const std::string_view digits = one;
        std::uint64_t seed = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
        REQUIRE(read.ptr == digits.data() + digits.size());
        run_seed(seed, counts);
        return;
    }
    const std::uint64_t runs = std::getenv("TICKD_TEST_LONG") != nullptr ? runs_long : runs_default;
    for (std::uint64_t seed = 0; seed < runs; ++seed) run_seed(seed, counts);

    // What the runs were for did happen, and not once or twice.
    const std::uint64_t often = runs / 50;
    CHECK(counts.records > runs * 20);
    CHECK(counts.commits > runs * 5);
    CHECK(counts.doubts_kept > often);
    CHECK(counts.doubts_dropped > often);
    CHECK(counts.doubts_undecided > often);
    CHECK(counts.cuts > often);
    CHECK(counts.refusals > often);
    CHECK(counts.rows_isolated > often);
    CHECK(counts.rejects > often);
    CHECK(counts.renumbered > often);
    CHECK(counts.producers_lost > often);
    CHECK(counts.epochs_passed > often);
    CHECK(counts.fenced > often);
    CHECK(counts.take_unanswered > often);
    CHECK(counts.crashes > often);
    CHECK(counts.superseded > often);
    CHECK(counts.duplicates > often);
    CHECK(counts.spooled > often);
    CHECK(counts.replayed > often);
    CHECK(counts.spools_found > often);
    CHECK(counts.machine_crashes > often);
    CHECK(counts.spools_full > often);
    CHECK(counts.syncs_failed > often / 10);
    CHECK(counts.acked_from_spool > often);
    CHECK(counts.rows_moved > 0);
}
