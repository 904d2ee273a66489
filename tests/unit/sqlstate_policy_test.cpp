#include "ingest/sqlstate_policy.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using ingest::action_for;
using ingest::failure_action;

namespace {

struct known_state {
    std::string_view sqlstate;
    failure_action action;
};

// What operators of other writers had to learn, state by state.
constexpr known_state known_states[] = {
    // The link, or the server going away and coming back.
    {"", failure_action::reconnect},  // reset, end of file, refused
    {"08000", failure_action::reconnect},
    {"08001", failure_action::reconnect},
    {"08003", failure_action::reconnect},
    {"08004", failure_action::reconnect},
    {"08006", failure_action::reconnect},
    {"08007", failure_action::reconnect},
    {"57P01", failure_action::reconnect},  // admin_shutdown
    {"57P02", failure_action::reconnect},  // crash_shutdown
    {"57P03", failure_action::reconnect},  // cannot_connect_now
    {"57P05", failure_action::reconnect},  // idle_session_timeout
    {"53300", failure_action::reconnect},  // too_many_connections
    {"25P03", failure_action::reconnect},  // idle_in_transaction_session_timeout
    {"40003", failure_action::reconnect},  // statement_completion_unknown
    // Failed over.
    {"25006", failure_action::next_host},
    // Kept nothing; may be asked again at once.
    {"40000", failure_action::retry},
    {"40001", failure_action::retry},  // serialization_failure
    {"40P01", failure_action::retry},  // deadlock_detected
    {"55P03", failure_action::retry},  // lock_not_available
    {"57014", failure_action::retry},  // query_canceled: never by ourselves
    // The server lacks something.
    {"53000", failure_action::pause},
    {"53100", failure_action::pause},  // disk_full
    {"53200", failure_action::pause},  // out_of_memory
    {"53400", failure_action::pause},  // configuration_limit_exceeded
    {"54000", failure_action::pause},
    {"55006", failure_action::pause},  // object_in_use
    {"58000", failure_action::pause},
    {"58030", failure_action::pause},  // io_error
    {"58P01", failure_action::pause},  // undefined_file
    // The row is wrong.
    {"22000", failure_action::isolate},
    {"22001", failure_action::isolate},  // string_data_right_truncation
    {"22003", failure_action::isolate},  // numeric_value_out_of_range
    {"22008", failure_action::isolate},  // datetime_field_overflow
    {"22021", failure_action::isolate},  // character_not_in_repertoire
    {"22P02", failure_action::isolate},  // invalid_text_representation
    {"22P03", failure_action::isolate},  // invalid_binary_representation
    {"22P04", failure_action::isolate},  // bad_copy_file_format
    {"22P05", failure_action::isolate},  // untranslatable_character
    {"23502", failure_action::isolate},  // not_null_violation
    {"23503", failure_action::isolate},
    {"23514", failure_action::isolate},  // check_violation
    // Only activity ids and the ledger are unique: a duplicate is no fault of the data.
    {"23505", failure_action::renumber},
    // Rights, schema, corruption: an operator's business.
    {"28000", failure_action::stop},
    {"28P01", failure_action::stop},
    {"3D000", failure_action::stop},
    {"3F000", failure_action::stop},
    {"42501", failure_action::stop},  // insufficient_privilege
    {"42P01", failure_action::stop},  // undefined_table
    {"42703", failure_action::stop},  // undefined_column
    {"42883", failure_action::stop},  // undefined_function
    {"0A000", failure_action::stop},  // COPY under row security
    {"XX000", failure_action::stop},
    {"XX001", failure_action::stop},  // data_corrupted
    {"XX002", failure_action::stop},  // index_corrupted
    // Our own.
    {"TK001", failure_action::lane_lost},
    {"TK002", failure_action::producer_lost},
    {"TK003", failure_action::reread_spool},
    {"TK004", failure_action::pause},
};

}  // namespace

TEST_CASE("each state has the action that its trouble calls for", "[sqlstate_policy]") {
    for (const auto& [sqlstate, action] : known_states) {
        CAPTURE(sqlstate, to_string(action_for(sqlstate)));
        CHECK(action_for(sqlstate) == action);
    }
}

TEST_CASE("only classes 22 and 23 may cost a row", "[sqlstate_policy]") {
    const std::string_view letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (const char first : letters) {
        for (const char second : letters) {
            for (const std::string_view rest : {"000", "001", "P01", "505", "ZZZ"}) {
                const std::string sqlstate = std::string{first, second}.append(rest);
                if (sqlstate == "23505" || sqlstate == "23P01") continue;  // an id is taken
                const bool is_data = sqlstate.starts_with("22") || sqlstate.starts_with("23");
                CAPTURE(sqlstate);
                REQUIRE((action_for(sqlstate) == failure_action::isolate) == is_data);
            }
        }
    }
}

TEST_CASE("a state nobody has heard of pauses", "[sqlstate_policy]") {
    for (const std::string_view sqlstate : {"99999", "00000", "P0001", "HV000", "TK009", "ZZZZZ"}) {
        CAPTURE(sqlstate);
        CHECK(action_for(sqlstate) == failure_action::pause);
    }
}

TEST_CASE("the table's rows are classes and states, each once, each explained",
          "[sqlstate_policy]") {
    std::set<std::string_view> seen;
    for (const ingest::sqlstate_rule& rule : ingest::sqlstate_rules) {
        CAPTURE(rule.prefix);
        const std::size_t length = rule.prefix.size();
        CHECK((length == 0 || length == 2 || length == 5));
        CHECK(seen.insert(rule.prefix).second);
        CHECK_FALSE(rule.meaning.empty());
        // What the table prints is what the daemon does.
        const std::string example =
            length == 2 ? std::string(rule.prefix) + "ZZZ" : std::string(rule.prefix);
        CHECK(action_for(example) == rule.action);
    }
}

TEST_CASE("every action has a name of its own", "[sqlstate_policy]") {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(failure_action::producer_lost); ++i) {
        names.insert(to_string(static_cast<failure_action>(i)));
    }
    CHECK(names.size() == static_cast<std::size_t>(failure_action::producer_lost) + 1);
    CHECK_FALSE(names.contains("?"));
}
