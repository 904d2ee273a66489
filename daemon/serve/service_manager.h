// What tickd tells the service manager that started it (sd_notify(3)). Without one every call does
// nothing. Main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tickd {

class service_manager {
public:
    service_manager();

    void ready(const std::string& status);
    // To be followed by ready().
    void reloading();
    // It may take as long as this.
    void stopping(std::chrono::milliseconds at_most);
    // What people see in `systemctl status`; sent when it has changed.
    void status(const std::string& text);
    // The daemon works. Not called for as long as the watchdog wants it, it is started anew.
    void alive();

    // How often alive() has to be called at least; nothing: the manager does not watch.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const noexcept {
        return watchdog_;
    }

private:
    static void tell(const std::string& state);

    std::optional<std::chrono::microseconds> watchdog_;
    std::string status_;
};

}  // namespace tickd
