// The oldest TLS that an end speaks.
#pragma once

#include <cstdint>

namespace tickd {

enum class tls_version : std::uint8_t { v1_2, v1_3 };

}  // namespace tickd
