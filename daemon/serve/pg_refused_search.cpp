// Which rows of a batch the server refuses: halves are tried in transactions that are rolled back.
#include <array>
#include <utility>

#include "daemon/serve/pg_lane_database.h"
#include "ingest/copy_encode.h"
#include "ingest/sqlstate_policy.h"

namespace tickd {

std::expected<std::vector<ingest::refused_place>, ingest::database_error>
pg_lane_database::find_refused(ingest::batch& rows) {
    std::vector<ingest::refused_place> found;
    for (const auto& [kind, count] : {std::pair{stream_kind::ticks, rows.ticks().size()},
                                      std::pair{stream_kind::events, rows.events().size()}}) {
        if (count == 0) continue;
        if (const auto searched = search(rows, kind, 0, count, found); !searched) {
            return std::unexpected(searched.error());
        }
    }
    return found;
}

std::expected<void, ingest::database_error> pg_lane_database::search(
    ingest::batch& rows, stream_kind kind, std::size_t begin, std::size_t end,
    std::vector<ingest::refused_place>& found) {
    if (!connection_) return std::unexpected(ingest::database_error{});
    trial_.clear();
    std::string sql = "BEGIN;";
    if (kind == stream_kind::ticks) {
        rows.encode_ticks(begin, end, trial_);
        sql += ingest::copy_ticks_statement;
    } else {
        const auto first = reserve_ids(rows.events().size());
        if (!first) return std::unexpected(first.error());
        rows.encode_events(begin, end, *first, hasher_, trial_);
        sql += ingest::copy_events_statement;
    }
    const std::array streams{trial_.view()};
    const transaction_outcome outcome = run(sql + ";ROLLBACK", streams, [] { return false; });
    if (outcome.link_lost) return std::unexpected(outcome.error);
    if (outcome.error.sqlstate == "25P02") return {};  // Rolled back as asked: nothing refused.
    const auto action = ingest::action_for(outcome.error.sqlstate);
    if (action != ingest::failure_action::isolate) return std::unexpected(outcome.error);
    if (end - begin == 1) {
        found.push_back({kind == stream_kind::events, begin, outcome.error.sqlstate});
        return {};
    }
    const std::size_t middle = begin + (end - begin) / 2;
    if (auto left = search(rows, kind, begin, middle, found); !left) return left;
    return search(rows, kind, middle, end, found);
}

}  // namespace tickd
