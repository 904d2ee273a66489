// Gives a running daemon another configuration.
#pragma once

#include <string_view>

#include "tests/support/daemon_process.h"

namespace tickd::test {

// Replaces the file that its command line names.
void rewrite_config(const daemon_process& daemon, std::string_view yaml);
// SIGHUP: it reads its configuration again.
void hang_up(const daemon_process& daemon);

}  // namespace tickd::test
