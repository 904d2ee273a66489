// How the writer's side of a lane's counters comes about. Writer thread.
#pragma once

#include "daemon/serve/counters.h"
#include "ingest/lane_writer.h"

namespace tickd {

// What the writer and its spool have counted, after a step.
void copy_counts(const ingest::lane_writer& writer, lane_counters& to);

// A block goes back to the session thread, committed or spooled.
void count_home(const ingest::block& done, lane_counters& to);

}  // namespace tickd
