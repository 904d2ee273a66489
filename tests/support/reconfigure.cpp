#include "tests/support/reconfigure.h"

#include <signal.h>

#include <filesystem>
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
    // In one step: a daemon that looks meanwhile sees the one or the other.
    const std::string next = word + ".next";
    {
        std::ofstream file(next, std::ios::binary);
        file << yaml;
        if (!file.flush()) throw std::runtime_error("cannot write " + next);
    }
    std::filesystem::rename(next, word);
}

void hang_up(const daemon_process& daemon) { ::kill(daemon.pid(), SIGHUP); }

}  // namespace tickd::test
