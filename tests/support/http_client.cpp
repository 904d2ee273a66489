#include "tests/support/http_client.h"

#include <algorithm>
#include <cctype>
#include <format>
#include <stdexcept>

#include "tests/support/tcp_client.h"

namespace tickd::test {

std::string admin_address(const daemon_process& daemon) {
    constexpr std::string_view words = "admin: http at ";
    const std::string text = daemon.log();
    std::size_t at = text.find(words);
    if (at == std::string::npos) throw std::runtime_error("no admin server:\n" + text);
    at += words.size();
    return text.substr(at, text.find_first_of("\" \n", at) - at);
}

http_answer parse_http(const std::string& received) {
    http_answer answer;
    const std::size_t end_of_head = received.find("\r\n\r\n");
    if (end_of_head == std::string::npos || !received.starts_with("HTTP/1.")) return answer;
    answer.status = std::stoi(received.substr(received.find(' ') + 1, 3));
    std::size_t at = received.find("\r\n") + 2;
    while (at < end_of_head) {
        const std::size_t end = received.find("\r\n", at);
        const std::size_t colon = received.find(": ", at);
        std::string name = received.substr(at, colon - at);
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        answer.headers[name] = received.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    answer.body = received.substr(end_of_head + 4);
    return answer;
}

http_answer http_send(const std::string& address, std::string_view request) {
    tcp_client client(address);
    client.send(request);
    const auto received = client.read_to_end();
    if (!received) throw std::runtime_error("the admin server does not close");
    return parse_http(*received);
}

http_answer http_get(const std::string& address, std::string_view path, std::string_view more) {
    return http_send(
        address, std::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
                             path, more));
}

}  // namespace tickd::test
