// `tickd verify`: whether what the database holds is what was committed.
#include <array>
#include <cstdio>
#include <fstream>

#include "daemon/commands/db_commands.h"
#include "daemon/commands/verify_commands.h"
#include "verify/encoding.h"
#include "verify/row_proof.h"

namespace tickd {

void add_verify_command(CLI::App& app, command_context& context) {
    CLI::App* const verify =
        app.add_subcommand("verify", "Whether what the database holds is what was committed");
    verify->require_subcommand(1);
    verify->footer("Exit codes: 0 nothing found, 1 tampering, 2 could not be verified.");
    add_verify_activity_command(*verify, context);
    add_verify_segments_command(*verify, context);
    add_verify_prove_command(*verify, context);
    add_verify_check_proof_command(*verify, context);
    add_verify_consistency_command(*verify, context);
}

void could_not_verify(command_context& context, const std::string& why) {
    std::fprintf(stderr, "tickd: could not verify: %s\n", why.c_str());
    context.result = exit_code::could_not_check;
}

std::optional<std::string> read_evidence(command_context& context, const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content;
    std::array<char, 16 * 1024> part;
    while (file && content.size() <= verify::proof_bytes_max) {
        file.read(part.data(), part.size());
        content.append(part.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad() || !file.eof() || content.empty()) {
        could_not_verify(context, "cannot read " + path);
        return std::nullopt;
    }
    return content;
}

std::optional<verify::verifier_key> pinned_key(command_context& context,
                                               const std::string& text_or_file) {
    verify::hasher sha;
    if (auto key = verify::parse_verifier_key(sha, text_or_file)) return key;
    std::ifstream file(text_or_file);
    std::string line;
    if (file && std::getline(file, line)) {
        if (auto key = verify::parse_verifier_key(sha, line)) return key;
    }
    std::fprintf(
        stderr, "tickd: --key is neither a verifier key (NAME+HASH+BASE64) nor a file of one: %s\n",
        text_or_file.c_str());
    context.result = exit_code::usage;
    return std::nullopt;
}

std::optional<pg_target> log_target(command_context& context, const std::string& database) {
    const auto settings = context.load();
    if (!settings) return std::nullopt;
    pg_target target = database_target(*settings);
    if (!database.empty()) {
        target.conninfo = database;
        target.password_file.clear();
    }
    target.application_name = "tickd verify";
    return target;
}

}  // namespace tickd
