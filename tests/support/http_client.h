// The daemon's admin server, asked as a scraper would, with nothing between the test and the bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/support/daemon_process.h"

namespace tickd::test {

struct http_answer {
    int status = 0;                              // 0: closed without an answer
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

// Where the daemon's admin server is: HOST:PORT or unix:/PATH. Throws when there is none.
[[nodiscard]] std::string admin_address(const daemon_process& daemon);

// Sends these bytes on a connection of its own and reads until the server closes.
[[nodiscard]] http_answer http_send(const std::string& address, std::string_view request);
// `more`: further headers, each with its line end.
[[nodiscard]] http_answer http_get(const std::string& address, std::string_view path,
                                   std::string_view more = {});
// The first answer in what a server sent.
[[nodiscard]] http_answer parse_http(const std::string& received);

}  // namespace tickd::test
