// tickd-manual CHECKOUT OUTPUT VERSION: writes tickd.1, tickd.yaml.5 and tickd.bash into the folder
// OUTPUT. The build runs it; it is not installed. They are made from the same objects that the
// program parses its command line and its settings with, so they cannot say anything else.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "daemon/commands/command_line.h"
#include "manual/pages.h"

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: tickd-manual CHECKOUT OUTPUT VERSION\n", stderr);
        return 64;
    }
    try {
        const std::string checkout = argv[1], output = argv[2], version = argv[3];
        CLI::App app{tickd::program_description, "tickd"};
        tickd::command_context context;
        tickd::add_command_line(app, context);
        write(output + "/tickd.1",
              manual::command_page(app, version, text_of(checkout + "/docs/operations.md")));
        write(output + "/tickd.yaml.5",
              manual::settings_page(version, text_of(checkout + "/docs/configuration.md"),
                                    text_of(checkout + "/conf/tickd-minimal.yaml")));
        write(output + "/tickd.bash", manual::bash_completion(app));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tickd-manual: %s\n", error.what());
        return 70;
    }
    return 0;
}
