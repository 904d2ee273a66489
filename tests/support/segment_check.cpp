#include "tests/support/segment_check.h"

#include <format>
#include <stdexcept>

#include "daemon/verify/segment_verification.h"

namespace tickd::test {

std::vector<std::string> segment_faults(const std::string& conninfo) {
    segment_request asked;
    asked.target.conninfo = conninfo;
    asked.jobs = 2;
    const auto report = verify_segments(asked, [](auto, auto, auto) {});
    if (!report) throw std::runtime_error(report.error());
    std::vector<std::string> faults;
    faults.reserve(report->found.size());
    for (const segment_finding& each : report->found) {
        faults.push_back(std::format("{} {} {}", to_string(each.fault), each.symbol, each.detail));
    }
    return faults;
}

}  // namespace tickd::test
