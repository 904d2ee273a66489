// Any text is a configuration or a list of problems; one without problems is printed and read
// again.
#include "daemon/config/config_yaml.h"
#include "tests/fuzz/fuzz_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tickd::config value;
    const auto reading = tickd::read_yaml(tickd_fuzz::text_of(data, size), "fuzz.yaml", value);
    for (const auto& problem : reading.problems) tickd_fuzz::require(!problem.message.empty());
    if (!reading.problems.empty() || value.listeners.empty()) return 0;
    const std::string printed = tickd::to_yaml(value);
    // Passwords in URLs are printed as ***, which is a password as well.
    tickd::config again;
    tickd_fuzz::require(tickd::read_yaml(printed, "fuzz.yaml", again).problems.empty());
    tickd_fuzz::require(tickd::to_yaml(again) == printed);
    return 0;
}
