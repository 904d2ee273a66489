// What a benchmark found: printed, and written as JSON for machines and Markdown for people.
#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "bench/report/environment.h"
#include "bench/report/statistics.h"
#include "bench/report/text_table.h"

namespace bench {

struct report_section {
    std::string heading;
    text_table table;
    std::vector<std::string> notes{};  // a sentence each
};

struct report {
    std::string name;   // of the files: `ingest`
    std::string title;  // one sentence
    facts environment{};
    facts settings{};
    std::vector<report_section> sections{};
    boost::json::object results{};  // the figures behind the tables
};

// To stdout.
void print(const report& what);

// NAME-YYYY-MM-DD.json and .md in `folder`, which is made if need be; a second of a day gets the
// time as well. Gives the paths; none without a folder. Throws std::runtime_error.
std::vector<std::filesystem::path> write_files(const report& what,
                                               const std::filesystem::path& folder);

[[nodiscard]] boost::json::object to_json(const summary& of);

}  // namespace bench
