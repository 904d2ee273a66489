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

}  // namespace ingest
