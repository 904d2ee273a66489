// Every metric tickd exports, read off the counters at the moment somebody asks. docs/operations.md
// lists them; a test compares the two.
#pragma once

#include <string>

#include "daemon/admin/metric_page.h"
#include "daemon/admin/observed.h"

namespace tickd {

[[nodiscard]] std::string metrics_text(const observed& of);

// The parts of it, a file each.
void add_process_metrics(const observed& of, metric_page& page);
void add_lane_metrics(const observed& of, metric_page& page);
void add_database_metrics(const observed& of, metric_page& page);
void add_producer_metrics(const observed& of, metric_page& page);

}  // namespace tickd
