// `tickd version`.
#include <boost/version.hpp>

#include <cstdio>
#include <format>
#include <string_view>

#include "daemon/commands/commands.h"
#include "tickd_version.h"

namespace tickd {

namespace {

constexpr int wire_protocol_version = 1;

constexpr std::string_view build_kind() {
#ifdef NDEBUG
    return "release";
#else
    return "with assertions";
#endif
}

}  // namespace

void add_version_command(CLI::App& app, command_context& /*context*/) {
    CLI::App* const version = app.add_subcommand("version", "Prints the version and what built it");
    version->callback([] {
        const std::string text =
            std::format("tickd {}\nwire protocol {}\n{} build, {} {}, Boost {}.{}\n", version_text,
                        wire_protocol_version, build_kind(),
#ifdef __clang__
                        "clang", __clang_version__,
#else
                        "g++", __VERSION__,
#endif
                        BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000);
        std::fputs(text.c_str(), stdout);
    });
}

}  // namespace tickd
