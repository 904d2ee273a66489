// Who may speak over a unix socket: user ids, each with its tenant and its producers, as the
// setting `listeners[].peers` has them:
//
//     1000 none *; 1001 01234567-89ab-cdef-0123-456789abcdef feed-a,feed-b
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/setting_value.h"
#include "ingest/uuid.h"

namespace tickd {

struct peer_rule {
    std::uint32_t uid = 0;
    std::optional<ingest::uuid> tenant;  // none: shared market data
    bool any_producer = false;           // written `*`
    std::vector<std::string> producers;  // empty when any_producer

    bool operator==(const peer_rule&) const = default;
};

// The rules, or what would have been right. Empty text: no rules. A user id stands once.
[[nodiscard]] parsed<std::vector<peer_rule>> parse_peer_rules(std::string_view text);
// The form that parse_peer_rules reads back.
[[nodiscard]] std::string print_peer_rules(const std::vector<peer_rule>& rules);

}  // namespace tickd
