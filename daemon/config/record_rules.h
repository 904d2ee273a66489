// What a listener's records are held to.
#pragma once

#include "daemon/config/config.h"
#include "ingest/record.h"

namespace tickd {

[[nodiscard]] ingest::record_rules rules_of(const listener_config& at, const config& settings);

}  // namespace tickd
