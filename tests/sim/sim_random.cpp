#include "tests/sim/sim_random.h"

#include <array>

namespace tickd::test {

sim_odds::sim_odds(sim_random& random) {
    constexpr std::array<std::uint64_t, 5> often{0, 5, 20, 100, 300};
    constexpr std::array<std::uint64_t, 4> rarely{0, 1, 4, 12};
    for (std::uint64_t* odds :
         {&connect_fails, &take_unanswered, &commit_refused, &commit_cut, &commit_in_doubt,
          &id_taken, &ledger_cut, &search_cut, &watermark_cut, &bad_record}) {
        *odds = random.pick(often);
    }
    crash = random.pick(rarely) / 2;
    start = 2 * random.pick(rarely);
    hang_up = 4 * random.pick(rarely);
    crash_in_commit = random.pick(often) / 5;
    spool_full = random.pick(often);
    sync_fails = random.pick(rarely);
    away = random.pick(rarely);
}

}  // namespace tickd::test
