#include "tests/sim/sim_link.h"

#include <algorithm>
#include <array>
#include <format>
#include <map>

namespace tickd::test {

namespace {

using ingest::commit_outcome;
using ingest::database_error;

[[nodiscard]] database_error error_of(std::string_view sqlstate) {
    return {.sqlstate = std::string(sqlstate), .message = {}, .subject = {}};
}

constexpr std::array<std::string_view, 7> connect_states{"",      "57P03", "53300", "08001",
                                                         "55P03", "28P01", "3D000"};
constexpr std::array<std::string_view, 14> commit_states{
    "40P01", "40001", "55P03", "57014", "53100", "53200", "58030",
    "42501", "42P01", "0A000", "XX000", "25006", "54000", "99999"};

}  // namespace

sim_link::sim_link(sim_database& database, sim_random& random, const sim_odds& odds,
                   sim_counts& counts, const bool& faults_on, std::uint32_t lane,
                   std::uint64_t holder)
    : database_(database),
      random_(random),
      odds_(odds),
      counts_(counts),
      faults_on_(faults_on),
      lane_(lane),
      holder_(holder) {}

bool sim_link::cut(std::uint64_t odds) {
    if (!fails(odds)) return false;
    ++counts_.cuts;
    held_ = false;
    return true;
}

void sim_link::expect_held(const std::string& call) {
    if (!held_) database_.breach(call + " without holding the lane");
}

std::expected<std::int64_t, database_error> sim_link::take_lane() {
    held_ = false;
    if (fails(odds_.connect_fails)) {
        return std::unexpected(error_of(random_.pick(connect_states)));
    }
    const auto taken = database_.take_lane(lane_, holder_, epoch_);
    if (!taken) return taken;
    if (fails(odds_.take_unanswered)) {
        ++counts_.take_unanswered;
        return std::unexpected(error_of(""));
    }
    epoch_ = *taken;
    held_ = true;
    return epoch_;
}

ingest::commit_result sim_link::commit(ingest::batch& rows, ingest::batch_name name,
                                       const std::optional<ingest::spool_mark>& mark,
                                       const std::function<bool()>& meanwhile) {
    expect_held("commit");
    for (std::uint64_t left = random_.below(3); left != 0; --left) {
        during_commit();
        meanwhile();
    }
    if (!rows.events_numbered()) {
        if (cut(odds_.commit_cut / 2)) return {commit_outcome::failed, error_of("")};
        rows.number_events(database_.reserve_ids(rows.events().size()), hasher_);
    }
    sim_transaction asked = transaction_of(rows, name);
    asked.mark = mark;
    check_shares(rows, asked);
    if (cut(odds_.commit_cut)) return {commit_outcome::failed, error_of("")};
    if (fails(odds_.commit_refused)) {
        ++counts_.refusals;
        return {commit_outcome::failed, error_of(random_.pick(commit_states))};
    }
    if (!rows.events().empty() && fails(odds_.id_taken)) database_.use_ids(asked);
    if (auto refusal = database_.refuses(asked)) {
        counts_.renumbered += refusal->sqlstate == "23505";
        return {commit_outcome::failed, *refusal};
    }
    if (fails(odds_.crash_in_commit)) killed = true;
    if (killed || cut(odds_.commit_in_doubt)) return leave_in_doubt(asked);
    database_.apply(asked);
    ++counts_.commits;
    return {commit_outcome::committed, {}};
}

// The answer to COMMIT does not come: the server has done it, or never will, or has yet to decide.
ingest::commit_result sim_link::leave_in_doubt(const sim_transaction& left) {
    held_ = false;
    switch (random_.below(3)) {
        case 0:
            ++counts_.doubts_kept;
            database_.apply(left);
            break;
        case 1: ++counts_.doubts_dropped; break;
        default:
            ++counts_.doubts_undecided;
            database_.leave_undecided(left);
            break;
    }
    return {commit_outcome::in_doubt, error_of("")};
}

sim_transaction sim_link::transaction_of(const ingest::batch& rows, ingest::batch_name name) {
    sim_transaction made{
        .lane = lane_, .holder = holder_, .name = name, .rows = known_rows(rows), .shares = {}};
    for (const ingest::producer_share& share : rows.producers()) {
        made.shares.push_back({std::string(share.name), share.expected_seq, share.newest_seq,
                               share.received, share.accepted, share.duplicates,
                               share.dead_lettered});
    }
    return made;
}

// The counts and watermarks of a batch are those of its rows; and whether its blocks have a gap.
void sim_link::check_shares(const ingest::batch& rows, sim_transaction& made) {
    std::size_t shared = 0;
    for (const sim_share& share : made.shares) {
        std::uint64_t accepted = 0, dead = 0, newest = share.expected_seq;
        for (const known_row& row : made.rows) {
            if (row.feed != share.producer) continue;
            ++(row.in == known_row::table::dead_letters ? dead : accepted);
            newest = std::max(newest, row.seq);
        }
        shared += accepted + dead;
        if (accepted != share.accepted || dead != share.dead_lettered ||
            newest != share.newest_seq || share.received != accepted + dead + share.duplicates) {
            database_.breach(std::format("{}: counts and rows differ", share.producer));
        }
    }
    const auto of_plain_sessions = static_cast<std::size_t>(
        std::ranges::count_if(made.rows, [](const known_row& row) { return is_plain(row.feed); }));
    if (shared + of_plain_sessions != made.rows.size()) {
        database_.breach("a row without its producer's share");
    }

    std::map<std::string_view, std::uint64_t> newest_of;
    for (const auto& in : rows.blocks()) {
        for (const ingest::origin& from : in->origins()) {
            if (from.lost || from.producer == 0) continue;
            const auto [before, first] =
                newest_of.emplace(in->text(from.producer_name), from.expected_seq);
            if (before->second != from.expected_seq) {
                made.gap_of = before->first;
            }
            before->second = from.newest_seq;
        }
    }
}

std::expected<bool, database_error> sim_link::was_committed(ingest::batch_name name) {
    expect_held("was_committed");
    if (cut(odds_.ledger_cut)) return std::unexpected(error_of(""));
    return database_.knows(lane_, name);
}

std::expected<std::vector<ingest::refused_place>, database_error> sim_link::find_refused(
    ingest::batch& rows) {
    expect_held("find_refused");
    if (cut(odds_.search_cut)) return std::unexpected(error_of(""));
    std::vector<ingest::refused_place> found;
    ingest::byte_buffer trial;
    const auto try_each = [&](known_row::table table, std::size_t count, auto encode) {
        for (std::size_t place = 0; place < count; ++place) {
            trial.clear();
            encode(place);
            if (!known_rows(table, trial.view()).at(0).is_poison) continue;
            // One is enough: the next commit finds the others.
            if (!found.empty() && random_.coin()) continue;
            found.push_back(
                {table == known_row::table::events, place, std::string(poison_sqlstate)});
        }
    };
    try_each(known_row::table::ticks, rows.ticks().size(),
             [&](std::size_t place) { rows.encode_ticks(place, place + 1, trial); });
    try_each(known_row::table::events, rows.events().size(),
             [&](std::size_t place) { rows.encode_events(place, place + 1, 1, hasher_, trial); });
    counts_.rows_isolated += found.size();
    return found;
}

std::expected<std::int64_t, database_error> sim_link::spool_committed(const ingest::uuid& spool) {
    expect_held("spool_committed");
    if (cut(odds_.ledger_cut)) return std::unexpected(error_of(""));
    return database_.spools[spool];
}

std::expected<void, database_error> sim_link::pass_spool(const ingest::uuid& spool,
                                                         std::int64_t last) {
    expect_held("pass_spool");
    if (cut(odds_.ledger_cut)) return std::unexpected(error_of(""));
    std::int64_t& known = database_.spools[spool];
    known = std::max(known, last);
    return {};
}

std::expected<std::uint64_t, database_error> sim_link::watermark(const std::string& producer) {
    expect_held("watermark");
    if (cut(odds_.watermark_cut)) return std::unexpected(error_of(""));
    return database_.watermark(producer);
}

}  // namespace tickd::test
