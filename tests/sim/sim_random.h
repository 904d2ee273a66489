// All chance of one simulated run: the same seed gives the same run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace tickd::test {

class sim_random {
public:
    explicit sim_random(std::uint64_t seed) : engine_(seed) {}

    // 0 to n-1. Not from the standard's distributions, whose numbers differ between libraries.
    [[nodiscard]] std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    // True `odds` times of a thousand.
    [[nodiscard]] bool chance(std::uint64_t odds) { return below(1000) < odds; }
    [[nodiscard]] bool coin() { return below(2) == 0; }
    template <typename Container>
    [[nodiscard]] const auto& pick(const Container& from) {
        return from[static_cast<std::size_t>(below(from.size()))];
    }

private:
    std::mt19937_64 engine_;
};

// What goes wrong how often, of a thousand; drawn anew for each seed, so that runs differ in kind
// and not only in their moments.
struct sim_odds {
    explicit sim_odds(sim_random& random);

    // the database
    std::uint64_t connect_fails, take_unanswered, commit_refused, commit_cut, commit_in_doubt,
        id_taken, ledger_cut, search_cut, watermark_cut;
    // processes and producers
    std::uint64_t crash_in_commit, crash, start, hang_up, bad_record, spool_full, sync_fails, away;
};

// What happened, over all runs: a simulation in which nothing goes wrong proves nothing.
struct sim_counts {
    std::uint64_t commits = 0, doubts_kept = 0, doubts_dropped = 0, doubts_undecided = 0;
    std::uint64_t cuts = 0, refusals = 0, rows_isolated = 0, renumbered = 0;
    std::uint64_t producers_lost = 0, epochs_passed = 0, fenced = 0, take_unanswered = 0;
    std::uint64_t crashes = 0, superseded = 0, duplicates = 0, rejects = 0, records = 0;
    std::uint64_t spooled = 0, replayed = 0, spools_found = 0, spool_reread = 0, rows_moved = 0;
    std::uint64_t machine_crashes = 0, spools_full = 0, syncs_failed = 0, acked_from_spool = 0;
};

}  // namespace tickd::test
