// What fuzz targets share: the input as text, and a check that ends the run with the input kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace tickd_fuzz {

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(data), size};
}

// Not assert: it counts in every build.
inline void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace tickd_fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
