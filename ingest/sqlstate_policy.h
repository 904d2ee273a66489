// What an SQLSTATE means for a batch: one table, checked at compile time, printed by
// `tickd doctor --sqlstates`. A row names a state or a class; the longest match decides.
//
// The rule behind it: only states that say "I read this row and it is wrong" may cost a row. A
// fault of the link, the server or its configuration never makes a dead letter.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ingest {

enum class failure_action : std::uint8_t {
    reconnect,      // the link or the server went away: same batch again on a new connection
    next_host,      // this server takes no writes: leave it, try the next host of the list
    retry,          // the server kept nothing and asks for another try: same batch, at once
    pause,          // the server lacks something: same batch after a wait, louder each time
    isolate,        // the data is refused: find the row, dead-letter it, commit the rest
    renumber,       // an activity id is taken: reserve new ids, hash again, same batch
    stop,           // rights or schema are wrong: retried rarely until an operator has mended it
    lane_lost,      // a newer holder has this lane: this writer must not write again
    reread_spool,   // blocks of the spool are committed already: ask how far, go on behind them
    producer_lost,  // another daemon has moved a producer's watermark: drop that producer's rows
};

[[nodiscard]] std::string_view to_string(failure_action action) noexcept;
// What the writer does about it, as a sentence for people. Static storage.
[[nodiscard]] std::string_view explain(failure_action action) noexcept;

struct sqlstate_rule {
    std::string_view prefix;  // five characters: one state; two: a class
    failure_action action;
    std::string_view meaning;
};

inline constexpr std::array sqlstate_rules{
    sqlstate_rule{"", failure_action::reconnect, "no answer: the connection broke"},
    sqlstate_rule{"08", failure_action::reconnect, "connection exception"},
    sqlstate_rule{"0A", failure_action::stop, "not supported, such as COPY under row security"},
    sqlstate_rule{"22", failure_action::isolate, "data exception"},
    sqlstate_rule{"23", failure_action::isolate, "integrity constraint violation"},
    sqlstate_rule{"23505", failure_action::renumber,
                  "unique violation: only activity ids are unique"},
    sqlstate_rule{"23P01", failure_action::renumber,
                  "exclusion violation: an activity id is in another record"},
    sqlstate_rule{"25006", failure_action::next_host, "read-only transaction: failed over"},
    sqlstate_rule{"25P03", failure_action::reconnect, "idle-in-transaction timeout"},
    sqlstate_rule{"25P04", failure_action::reconnect, "transaction timeout"},
    sqlstate_rule{"28", failure_action::stop, "invalid authorization"},
    sqlstate_rule{"3D", failure_action::stop, "database does not exist"},
    sqlstate_rule{"3F", failure_action::stop, "schema does not exist"},
    sqlstate_rule{"40", failure_action::retry, "transaction rollback: serialization, deadlock"},
    sqlstate_rule{"40003", failure_action::reconnect, "statement completion unknown"},
    sqlstate_rule{"42", failure_action::stop, "access rule violation or schema mismatch"},
    sqlstate_rule{"53", failure_action::pause, "insufficient resources: disk, memory"},
    sqlstate_rule{"53300", failure_action::reconnect, "too many connections"},
    sqlstate_rule{"54", failure_action::pause, "program limit exceeded"},
    sqlstate_rule{"55", failure_action::pause, "object not in prerequisite state"},
    sqlstate_rule{"55P03", failure_action::retry, "lock not available"},
    sqlstate_rule{"57", failure_action::reconnect, "operator intervention: shutdown, starting up"},
    sqlstate_rule{"57014", failure_action::retry, "query cancelled"},
    sqlstate_rule{"58", failure_action::pause, "system error: I/O"},
    sqlstate_rule{"TK001", failure_action::lane_lost, "the lane's epoch is no longer ours"},
    sqlstate_rule{"TK002", failure_action::producer_lost, "a producer's watermark has moved"},
    sqlstate_rule{"TK003", failure_action::reread_spool, "spooled blocks are committed already"},
    sqlstate_rule{"TK004", failure_action::pause, "a replayed dead letter waits no more"},
    sqlstate_rule{"XX", failure_action::stop, "internal error or corruption"},
};

// States outside the table pause: nothing is lost, nothing is dead-lettered, someone is told.
[[nodiscard]] constexpr failure_action action_for(std::string_view sqlstate) noexcept {
    failure_action action = failure_action::pause;
    std::size_t longest = 0;
    for (const sqlstate_rule& rule : sqlstate_rules) {
        const bool matches =
            rule.prefix.empty() ? sqlstate.empty() : sqlstate.starts_with(rule.prefix);
        if (matches && rule.prefix.size() >= longest) {
            action = rule.action;
            longest = rule.prefix.size();
        }
    }
    return action;
}

static_assert(action_for("") == failure_action::reconnect);
static_assert(action_for("08006") == failure_action::reconnect);
static_assert(action_for("08007") == failure_action::reconnect);
static_assert(action_for("40003") == failure_action::reconnect);
static_assert(action_for("25P03") == failure_action::reconnect);
static_assert(action_for("57P01") == failure_action::reconnect);
static_assert(action_for("57P02") == failure_action::reconnect);
static_assert(action_for("57P03") == failure_action::reconnect);
static_assert(action_for("53300") == failure_action::reconnect);
static_assert(action_for("25006") == failure_action::next_host);
static_assert(action_for("40001") == failure_action::retry);
static_assert(action_for("40P01") == failure_action::retry);
static_assert(action_for("55P03") == failure_action::retry);
static_assert(action_for("57014") == failure_action::retry);
static_assert(action_for("53100") == failure_action::pause);
static_assert(action_for("53200") == failure_action::pause);
static_assert(action_for("58030") == failure_action::pause);
static_assert(action_for("22003") == failure_action::isolate);
static_assert(action_for("22P02") == failure_action::isolate);
static_assert(action_for("22P05") == failure_action::isolate);
static_assert(action_for("23502") == failure_action::isolate);
static_assert(action_for("23514") == failure_action::isolate);
static_assert(action_for("23505") == failure_action::renumber);
static_assert(action_for("23P01") == failure_action::renumber);
static_assert(action_for("42501") == failure_action::stop);
static_assert(action_for("42P01") == failure_action::stop);
static_assert(action_for("42703") == failure_action::stop);
static_assert(action_for("28P01") == failure_action::stop);
static_assert(action_for("3D000") == failure_action::stop);
static_assert(action_for("0A000") == failure_action::stop);
static_assert(action_for("XX000") == failure_action::stop);
static_assert(action_for("XX001") == failure_action::stop);
static_assert(action_for("TK001") == failure_action::lane_lost);
static_assert(action_for("TK002") == failure_action::producer_lost);
static_assert(action_for("TK003") == failure_action::reread_spool);
static_assert(action_for("TK004") == failure_action::pause);
static_assert(action_for("99999") == failure_action::pause);

}  // namespace ingest
