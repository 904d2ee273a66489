// SIGHUP: the configuration is read again, and what can be changed in a running daemon is, without
// closing a connection.
//
// All or nothing: first everything is read, checked and made ready; only if all of it is good is it
// swapped in. A configuration that is wrong changes nothing and is reported with its lines.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace tickd {

// A part of the daemon that takes new settings while it runs. Both functions on the main thread.
struct reload_part {
    std::string name;  // for the log
    // Checks what `next` asks of this part and makes it ready (reads the files it names); changes
    // nothing. Gives what swaps it in, which must not fail, or says what is wrong. It is called at
    // every reload, whether or not a setting changed: a file may have.
    std::function<std::expected<std::function<void()>, std::string>(const config& next)> prepare;
};

class reloader {
public:
    // `now`: what is in effect, and is brought up to date by reload(). `reread`: reads the
    // configuration from where it came from.
    reloader(config& now, std::function<loaded_config()> reread)
        : now_(now), reread_(std::move(reread)) {}

    void add(reload_part part) { parts_.push_back(std::move(part)); }

    // Says in the log what it did. False: nothing was changed. Main thread.
    [[nodiscard]] bool reload();

private:
    config& now_;
    std::function<loaded_config()> reread_;
    std::vector<reload_part> parts_;
};

}  // namespace tickd
