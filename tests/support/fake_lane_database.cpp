#include "tests/support/fake_lane_database.h"

#include <algorithm>
#include <format>
#include <iterator>

namespace tickd::test {

namespace {

using ingest::database_error;

// The script's next word.
[[nodiscard]] std::optional<database_error> next(std::deque<std::optional<database_error>>& from) {
    if (from.empty()) return std::nullopt;
    auto word = std::move(from.front());
    from.pop_front();
    return word;
}

[[nodiscard]] bool is_poison(const ingest::tick_place& at) {
    return at.in->text(at.in->ticks()[at.row].symbol) == poison;
}
[[nodiscard]] bool is_poison(const ingest::event_place& at) {
    return at.in->text(at.in->events()[at.row].action_type) == poison;
}

}  // namespace

void fake_lane_database::note(const std::string& call) {
    calls.push_back(call);
    if (!linked) ++calls_without_link;
}

std::expected<std::int64_t, database_error> fake_lane_database::take_lane() {
    calls.emplace_back("take_lane");
    linked = false;
    if (auto failure = next(take_lane_script)) return std::unexpected(*failure);
    linked = true;
    return ++epoch_;
}

void fake_lane_database::keep(const ingest::batch& rows, ingest::batch_name name) {
    std::ranges::move(known_rows(rows), std::back_inserter(kept));
    ledger.emplace(name.epoch, name.number);
}

ingest::commit_result fake_lane_database::commit(ingest::batch& rows, ingest::batch_name name,
                                                 const std::optional<ingest::spool_mark>& mark,
                                                 const std::function<bool()>& meanwhile) {
    note(std::format("commit {}:{}", name.epoch, name.number));
    if (during_commit) during_commit();
    meanwhile();
    if (!rows.events_numbered()) {
        rows.number_events(next_id_, hasher_);
        next_id_ += static_cast<std::int64_t>(rows.events().size());
    }
    scripted_commit word;
    if (!commit_script.empty()) {
        word = std::move(commit_script.front());
        commit_script.pop_front();
    }
    const bool poisoned = std::ranges::any_of(known_rows(rows), &known_row::is_poison);
    if (poisoned && !word.error.sqlstate.empty()) return {word.outcome, word.error};
    if (poisoned && word.outcome == ingest::commit_outcome::committed) {
        return {ingest::commit_outcome::failed,
                {.sqlstate = std::string(poison_sqlstate), .message = "poison", .subject = {}}};
    }
    if (word.outcome == ingest::commit_outcome::committed || word.kept) {
        if (mark && spools[mark->spool] >= mark->first) {
            return {ingest::commit_outcome::failed,
                    {.sqlstate = "TK003", .message = "in already", .subject = {}}};
        }
        if (mark) spools[mark->spool] = mark->last;
        keep(rows, name);
    }
    return {word.outcome, word.error};
}

std::expected<bool, database_error> fake_lane_database::was_committed(ingest::batch_name name) {
    note(std::format("was_committed {}:{}", name.epoch, name.number));
    if (auto failure = next(was_committed_script)) return std::unexpected(*failure);
    return ledger.contains({name.epoch, name.number});
}

std::expected<std::vector<ingest::refused_place>, database_error> fake_lane_database::find_refused(
    ingest::batch& rows) {
    note("find_refused");
    if (auto failure = next(find_refused_script)) return std::unexpected(*failure);
    std::vector<ingest::refused_place> found;
    if (finds_nothing) return found;
    for (std::size_t i = 0; i < rows.ticks().size(); ++i) {
        if (is_poison(rows.ticks()[i])) found.push_back({false, i, std::string(poison_sqlstate)});
    }
    for (std::size_t i = 0; i < rows.events().size(); ++i) {
        if (is_poison(rows.events()[i])) found.push_back({true, i, std::string(poison_sqlstate)});
    }
    return found;
}

std::expected<std::uint64_t, database_error> fake_lane_database::watermark(
    const std::string& producer) {
    note("watermark " + producer);
    if (auto failure = next(watermark_script)) return std::unexpected(*failure);
    return watermark_answer;
}

std::expected<std::int64_t, database_error> fake_lane_database::spool_committed(
    const ingest::uuid& spool) {
    note("spool_committed");
    if (auto failure = next(spool_committed_script)) return std::unexpected(*failure);
    return spools[spool];
}

std::expected<void, database_error> fake_lane_database::pass_spool(const ingest::uuid& spool,
                                                                   std::int64_t last) {
    note(std::format("pass_spool {}", last));
    if (auto failure = next(pass_spool_script)) return std::unexpected(*failure);
    spools[spool] = std::max(spools[spool], last);
    return {};
}

void fake_lane_database::disconnect() noexcept {
    calls.emplace_back("disconnect");
    linked = false;
}

}  // namespace tickd::test
