#include "tests/support/reconfigure.h"

#include <signal.h>

#include <format>
#include <fstream>
#include <stdexcept>
#include <string>

namespace tickd::test {

void rewrite_config(const daemon_process& daemon, std::string_view yaml) {
    std::ifstream words(std::format("/proc/{}/cmdline", daemon.pid()), std::ios::binary);
    std::string word;
    while (std::getline(words, word, '\0') && word != "--config") {
    }
    if (!std::getline(words, word, '\0')) throw std::runtime_error("no --config FILE");
    std::ofstream file(word, std::ios::binary);
    file << yaml;
    if (!file.flush()) throw std::runtime_error("cannot write " + word);
}

void hang_up(const daemon_process& daemon) { ::kill(daemon.pid(), SIGHUP); }

}  // namespace tickd::test
