#include "tests/support/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <format>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "daemon/json_quoted.h"

namespace tickd::test {

namespace {

namespace dom = simdjson::dom;

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    return ends;
}

// The text at a JSON pointer, of a message; empty: there is none.
std::string text_at(const std::string& message, std::string_view pointer) {
    dom::parser parser;
    dom::element root, found;
    if (parser.parse(message).get(root) != simdjson::SUCCESS) return {};
    if (root.at_pointer(pointer).get(found) != simdjson::SUCCESS) return {};
    std::string_view text;
    if (found.get(text) == simdjson::SUCCESS) return std::string(text);
    return simdjson::minify(found);
}

std::string decode_base64(std::string_view text) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const std::size_t value = digits.find(c);
        if (value == std::string_view::npos) break;
        group = group << 6U | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(group >> bits & 0xFFU);
    }
    return bytes;
}

}  // namespace

std::optional<std::string> browser::program() {
    for (const char* const name : {"chromium-headless-shell", "chromium"}) {
        const std::string path = std::string("/usr/bin/") + name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return std::nullopt;
}

browser::browser(const std::string& program) {
    const auto orders = make_pipe(), answers = make_pipe();
    // Its log is for whom something is wrong with it.
    const int log = ::open(folder_.file("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const std::string profile = "--user-data-dir=" + folder_.file("profile");
    // Without a sandbox: tests run as root, and the page is ours.
    const std::vector<const char*> words{program.c_str(),
                                         "--headless",
                                         "--no-sandbox",
                                         "--disable-gpu",
                                         "--disable-dev-shm-usage",
                                         "--no-first-run",
                                         "--hide-scrollbars",
                                         "--remote-debugging-pipe",
                                         profile.c_str(),
                                         "about:blank",
                                         nullptr};
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // It reads orders from 3 and answers on 4, which may be ends of these pipes themselves.
        const int in = ::fcntl(orders[0], F_DUPFD_CLOEXEC, 10);
        const int out = ::fcntl(answers[1], F_DUPFD_CLOEXEC, 10);
        const int said = ::fcntl(log, F_DUPFD_CLOEXEC, 10);
        ::dup2(in, 3);
        ::dup2(out, 4);
        ::dup2(said, STDOUT_FILENO);
        ::dup2(said, STDERR_FILENO);
        ::execv(words[0], const_cast<char* const*>(words.data()));
        ::_exit(127);
    }
    ::close(log);
    ::close(orders[0]);
    ::close(answers[1]);
    to_ = orders[1];
    from_ = answers[0];
    const std::string target =
        text_at(call("Target.createTarget", R"({"url":"about:blank"})", false), "/result/targetId");
    session_ = text_at(call("Target.attachToTarget",
                            std::format(R"({{"targetId":"{}","flatten":true}})", target), false),
                       "/result/sessionId");
    if (session_.empty()) throw std::runtime_error("the browser has no tab");
    for (const char* const domain : {"Page", "Runtime", "Log", "Network"}) {
        static_cast<void>(call(std::string(domain) + ".enable", "{}"));
    }
}

browser::~browser() {
    ::close(to_);
    ::close(from_);
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
}

std::string browser::read_message() {
    for (;;) {
        if (const std::size_t end = received_.find('\0'); end != std::string::npos) {
            std::string message = received_.substr(0, end);
            received_.erase(0, end + 1);
            return message;
        }
        pollfd waiting{.fd = from_, .events = POLLIN, .revents = 0};
        const auto limit = std::chrono::milliseconds(patience);
        std::array<char, 65536> part{};
        if (::poll(&waiting, 1, static_cast<int>(limit.count())) != 1) {
            throw std::runtime_error("the browser does not answer");
        }
        const ssize_t got = ::read(from_, part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            std::ifstream log(folder_.file("log"));
            throw std::runtime_error("the browser has ended:\n" +
                                     std::string{std::istreambuf_iterator<char>(log), {}});
        }
        received_.append(part.data(), static_cast<std::size_t>(got));
    }
}

std::string browser::call(const std::string& method, const std::string& parameters, bool of_page) {
    const std::int64_t id = ++last_id_;
    std::string order =
        std::format(R"({{"id":{},"method":"{}","params":{}{}}})", id, method, parameters,
                    of_page ? std::format(R"(,"sessionId":"{}")", session_) : "");
    order += '\0';
    std::string_view left = order;
    while (!left.empty()) {
        const ssize_t sent = ::write(to_, left.data(), left.size());
        if (sent < 0 && errno != EINTR) throw std::runtime_error("the browser does not listen");
        if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
    }
    for (;;) {
        std::string message = read_message();
        if (text_at(message, "/id") == std::to_string(id)) {
            const std::string failed = text_at(message, "/error/message");
            if (!failed.empty()) throw std::runtime_error(method + ": " + failed);
            return message;
        }
        hear(message);
    }
}

void browser::hear(const std::string& message) {
    const std::string method = text_at(message, "/method");
    if (method == "Runtime.exceptionThrown") {
        complaints_.push_back(text_at(message, "/params/exceptionDetails"));
    } else if (method == "Runtime.consoleAPICalled") {
        const std::string type = text_at(message, "/params/type");
        if (type == "error" || type == "warning" || type == "assert") {
            complaints_.push_back(type + ": " + text_at(message, "/params/args"));
        }
    } else if (method == "Log.entryAdded") {
        const std::string level = text_at(message, "/params/entry/level");
        if (level == "error" || level == "warning") {
            complaints_.push_back(level + ": " + text_at(message, "/params/entry/text") + " " +
                                  text_at(message, "/params/entry/url"));
        }
    }
}

void browser::open(const std::string& url) {
    static_cast<void>(call("Page.navigate", std::format(R"({{"url":{}}})", json_quoted(url))));
    if (!await_true("document.readyState === 'complete'")) {
        throw std::runtime_error("the page is never complete");
    }
}

std::string browser::value_of(const std::string& expression) {
    const std::string answer =
        call("Runtime.evaluate", std::format(R"({{"expression":{},"returnByValue":true}})",
                                             json_quoted("String(" + expression + ")")));
    if (const std::string thrown = text_at(answer, "/result/exceptionDetails"); !thrown.empty()) {
        throw std::runtime_error(expression + ": " + thrown);
    }
    return text_at(answer, "/result/result/value");
}

bool browser::await_true(const std::string& expression) {
    return await_condition([&] { return value_of(expression) == "true"; });
}

void browser::look_with(int width, int height, bool dark) {
    static_cast<void>(
        call("Emulation.setDeviceMetricsOverride",
             std::format(R"({{"width":{},"height":{},"deviceScaleFactor":1,"mobile":false}})",
                         width, height)));
    static_cast<void>(
        call("Emulation.setEmulatedMedia",
             std::format(R"({{"features":[{{"name":"prefers-color-scheme","value":"{}"}}]}})",
                         dark ? "dark" : "light")));
}

void browser::save_picture(const std::string& path) {
    const std::string answer =
        call("Page.captureScreenshot",
             std::format(R"({{"format":"png","captureBeyondViewport":true,)"
                         R"("clip":{{"x":0,"y":0,"width":{},"height":{},"scale":1}}}})",
                         value_of("window.innerWidth"),
                         value_of("document.documentElement.scrollHeight")));
    std::ofstream to(path, std::ios::binary);
    to << decode_base64(text_at(answer, "/result/data"));
    if (!to.flush()) throw std::runtime_error("cannot write " + path);
}

std::vector<std::string> browser::complaints() {
    // What it has said before this answer is read with it.
    static_cast<void>(value_of("1"));
    return complaints_;
}

}  // namespace tickd::test
