// `tickd notary`: its keys, and its state after a loss.
#include <cstdio>
#include <format>
#include <fstream>
#include <iterator>
#include <memory>

#include "daemon/commands/commands.h"
#include "daemon/notary/notary_key.h"
#include "daemon/notary/notary_state.h"

namespace tickd {

namespace {

void complain(command_context& context, const std::string& what, exit_code code) {
    std::fprintf(stderr, "tickd: %s\n", what.c_str());
    context.result = code;
}

void add_key_commands(CLI::App& notary, command_context& context) {
    CLI::App* const key = notary.add_subcommand("key", "Makes and shows the notary's keys");
    key->require_subcommand(1);

    struct options {
        std::string out, name;
    };
    const auto made = std::make_shared<options>();
    CLI::App* const fresh =
        key->add_subcommand("new", "Makes a key and prints what verifiers need of it");
    fresh->add_option("--out", made->out, "The file to make; must not exist")
        ->required()
        ->type_name("FILE");
    fresh->add_option("--name", made->name, "The key's name: most often the log's origin")
        ->required()
        ->type_name("NAME");
    fresh->callback([&context, made] {
        const auto signer = make_key(made->out, made->name);
        if (!signer) return complain(context, signer.error(), exit_code::cannot_create);
        std::puts(signer->verifier().vkey().c_str());
    });

    const auto file = std::make_shared<std::string>();
    CLI::App* const show = key->add_subcommand("show", "Prints what verifiers need of a key");
    show->add_option("FILE", *file, "Default: the configured key");
    show->callback([&context, file] {
        std::string path = *file;
        if (path.empty()) {
            const auto settings = context.load();
            if (!settings) return;
            path = key_path(*settings);
        }
        if (path.empty()) return complain(context, "no key is configured", exit_code::config);
        const auto signer = read_key(path);
        if (!signer) return complain(context, signer.error(), exit_code::no_input);
        std::puts(signer->verifier().vkey().c_str());
    });
}

// The state begins again at a checkpoint that somebody kept: never at what the database says.
void adopt(command_context& context, const std::string& path) {
    const auto settings = context.load();
    if (!settings) return;
    const auto signer = read_key(key_path(*settings));
    if (!signer) return complain(context, signer.error(), exit_code::no_input);
    std::ifstream file(path, std::ios::binary);
    const std::string note{std::istreambuf_iterator<char>(file), {}};
    const auto text = open_note(note, signer->verifier());
    if (!text) return complain(context, path + ' ' + text.error(), exit_code::data);
    const auto head = parse_checkpoint(*text);
    if (!head) return complain(context, path + ' ' + head.error(), exit_code::data);
    auto state = notary_state::open(settings->notary.state_file);
    if (!state) return complain(context, state.error(), exit_code::io_error);
    if (state->newest()) {
        return complain(context,
                        std::format("{} is whole: it ends at {} records",
                                    settings->notary.state_file, state->newest()->size),
                        exit_code::data);
    }
    if (const auto kept = state->append(*head); !kept) {
        return complain(context, kept.error(), exit_code::io_error);
    }
    std::printf("the notary goes on behind %lld records of %s\n",
                static_cast<long long>(head->size), head->origin.c_str());
}

}  // namespace

void add_notary_command(CLI::App& app, command_context& context) {
    CLI::App* const notary =
        app.add_subcommand("notary", "Keys and state of what signs the activity log");
    notary->require_subcommand(1);
    add_key_commands(*notary, context);
    const auto file = std::make_shared<std::string>();
    CLI::App* const from = notary->add_subcommand(
        "adopt", "Begins the notary's lost state again at a checkpoint that was exported");
    from->add_option("FILE", *file, "The checkpoint, signed by the configured key")->required();
    from->callback([&context, file] { adopt(context, *file); });
}

}  // namespace tickd
