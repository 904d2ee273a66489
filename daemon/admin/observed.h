// What the admin pages look at. All of it outlives the admin thread and may be read while the
// daemon works.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/admin_server.h"
#include "daemon/compact/compactor.h"
#include "daemon/notary/notary_figures.h"
#include "daemon/serve/door.h"
#include "daemon/serve/lane.h"
#include "daemon/serve/producer_figures.h"
#include "daemon/serve/serving_state.h"

namespace tickd {

struct observed {
    const std::vector<std::unique_ptr<lane>>& lanes;
    const door& entrance;
    std::vector<door::counted_listener> listeners;
    const producer_registry& producers;
    const serving_state& serving;
    const notary_figures* notary;          // null: none is configured
    const compactor_counters* compaction;  // null: segments.compact is off
    const admin_server::request_counters& requests;
    std::uint64_t spool_bytes_max;  // of each lane; 0: no spool
};

}  // namespace tickd
