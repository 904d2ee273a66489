#include "daemon/admin/metrics.h"

namespace tickd {

std::string metrics_text(const observed& of) {
    metric_page page;
    add_process_metrics(of, page);
    add_lane_metrics(of, page);
    add_database_metrics(of, page);
    add_producer_metrics(of, page);
    return page.text();
}

}  // namespace tickd
