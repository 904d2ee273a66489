// The files of daemon/admin/page, built into the binary.
#pragma once

#include <span>
#include <string_view>

namespace tickd {

struct embedded_file {
    std::string_view name;  // status.html
    std::string_view bytes;
};

// Static storage, in order of name. Written by cmake/embed_page.cmake.
[[nodiscard]] std::span<const embedded_file> embedded_page() noexcept;

}  // namespace tickd
