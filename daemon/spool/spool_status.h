// What the spools below a folder hold, for people and their tools. Reads only.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "daemon/spool/spool_scan.h"

namespace tickd {

struct spool_status {
    std::string lane;  // the folder's name, such as lane-0
    spool_contents contents;
    std::int64_t age_s = 0;              // of the oldest record; 0: there is none
    std::vector<std::string> set_aside;  // *.damaged files of earlier starts
    std::string problem;                 // why it cannot be read; empty: it can

    [[nodiscard]] bool damaged() const noexcept {
        return !problem.empty() || !set_aside.empty() || contents.recovery.damaged_blocks != 0;
    }
};

// In order of name. An error when the folder cannot be read; one that is not there has no spools.
[[nodiscard]] std::expected<std::vector<spool_status>, std::string> read_spools(
    const std::string& folder);

// The first line is about the lane, the others about its producers and its damage.
[[nodiscard]] std::vector<std::string> to_lines(const spool_status& of);
[[nodiscard]] std::string to_json(const std::vector<spool_status>& all);

}  // namespace tickd
