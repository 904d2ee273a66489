#include "daemon/config/record_rules.h"

namespace tickd {

ingest::record_rules rules_of(const listener_config& at, const config& settings) {
    ingest::record_rules rules;
    rules.excess = settings.records.excess_digits;
    rules.unknown = settings.records.unknown_fields;
    rules.depth_max = settings.records.json_depth;
    rules.future_limit_us = settings.records.future_limit.count();
    if (settings.records.past_limit) rules.past_limit_us = settings.records.past_limit->count();
    rules.tenant = at.tenant;
    rules.tenant_from_payload = at.tenant_from_payload;
    return rules;
}

}  // namespace tickd
