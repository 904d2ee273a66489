#include "ingest/sqlstate_policy.h"

namespace ingest {

std::string_view to_string(failure_action action) noexcept {
    switch (action) {
        case failure_action::reconnect: return "reconnect";
        case failure_action::next_host: return "next host";
        case failure_action::retry: return "retry";
        case failure_action::pause: return "pause";
        case failure_action::isolate: return "isolate the row";
        case failure_action::renumber: return "renumber";
        case failure_action::stop: return "stop";
        case failure_action::lane_lost: return "lane lost";
        case failure_action::reread_spool: return "reread the spool";
        case failure_action::producer_lost: return "producer lost";
    }
    return "?";
}

std::string_view explain(failure_action action) noexcept {
    switch (action) {
        case failure_action::reconnect:
            return "The same batch goes out again on a new connection, to the first host that "
                   "answers; a COMMIT that went unanswered is settled by the ledger.";
        case failure_action::next_host:
            return "This server is left, and the same batch goes to the next host that takes "
                   "writes.";
        case failure_action::retry:
            return "The same batch goes out again on the same connection, after milliseconds.";
        case failure_action::pause:
            return "The same batch goes out again after a wait that grows to ten seconds; senders "
                   "are made to wait, nothing is dropped.";
        case failure_action::isolate:
            return "The rows at fault are found by halving and become dead letters; the rest is "
                   "committed.";
        case failure_action::renumber:
            return "New activity ids are reserved, and the same batch goes out again.";
        case failure_action::stop:
            return "Nothing is written until an operator has mended rights or schema; it is tried "
                   "again every ten seconds at most.";
        case failure_action::lane_lost:
            return "Another tickd has the lane: this one ends and writes nothing more.";
        case failure_action::reread_spool:
            return "Some of the spool's blocks are committed already: the database is asked how "
                   "far, and the lane goes on behind them.";
        case failure_action::producer_lost:
            return "Another tickd has moved the producer: its rows are left out, its session is "
                   "closed.";
    }
    return "?";
}

}  // namespace ingest
