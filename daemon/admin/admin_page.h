// What the admin server answers with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tickd {

struct admin_page {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{};  // further ones
};

}  // namespace tickd
