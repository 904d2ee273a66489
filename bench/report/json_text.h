// JSON for files that people read as well: Boost.JSON writes all on one line.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace bench {

// Indented by two spaces, with a final line end; objects and arrays without others inside them on
// one line.
[[nodiscard]] std::string to_json_text(const boost::json::value& value);

}  // namespace bench
