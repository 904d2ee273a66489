// Keeps passwords out of what is printed.
#pragma once

#include <string>
#include <string_view>

namespace tickd {

// A libpq connection string or URI with the values of `password` and `sslpassword`, and the
// password before a URI's `@`, replaced by `***`. Where a malformed string leaves doubt, more is
// masked rather than less.
[[nodiscard]] std::string mask_password(std::string_view connection);

}  // namespace tickd
