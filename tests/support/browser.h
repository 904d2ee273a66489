// A real browser without a window, driven over the DevTools protocol's pipe: what it is asked and
// what it answers are JSON objects with a NUL behind each.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"

namespace tickd::test {

class browser {
public:
    // The program of one that is installed: chromium-headless-shell or chromium; nothing: neither.
    [[nodiscard]] static std::optional<std::string> program();

    // Starts it with one empty tab. Throws std::runtime_error when it does not answer; so do all
    // others.
    explicit browser(const std::string& program);
    ~browser();
    browser(const browser&) = delete;
    browser& operator=(const browser&) = delete;

    void open(const std::string& url);
    // What an expression of JavaScript gives, as text.
    [[nodiscard]] std::string value_of(const std::string& expression);
    // Waits until it is true. False: it never was.
    [[nodiscard]] bool await_true(const std::string& expression);
    // Pixels of the window, and whether its user likes things dark.
    void look_with(int width, int height, bool dark);
    // The whole page as PNG, however long it is.
    void save_picture(const std::string& path);
    // What the page complained of since it was opened: console errors and warnings, exceptions,
    // what could not be loaded.
    [[nodiscard]] std::vector<std::string> complaints();

private:
    [[nodiscard]] std::string call(const std::string& method, const std::string& parameters,
                                   bool of_page = true);
    [[nodiscard]] std::string read_message();
    void hear(const std::string& message);

    temporary_folder folder_;
    pid_t pid_ = -1;
    int to_ = -1, from_ = -1;
    std::string received_;
    std::string session_;
    std::int64_t last_id_ = 0;
    std::vector<std::string> complaints_;
};

}  // namespace tickd::test
