// `tickd verify prove`, `check-proof` and `consistency`.
#include <array>
#include <cstdio>
#include <format>
#include <fstream>
#include <memory>

#include "daemon/commands/verify_commands.h"
#include "daemon/verify/row_proving.h"
#include "verify/encoding.h"

namespace tickd {

namespace {

struct arguments {
    std::string database, key, checkpoint, out, file, older, newer;
    std::int64_t id = 0;
};

void prove(command_context& context, const arguments& given) {
    std::optional<verify::verifier_key> key;
    if (!given.key.empty()) {
        key = pinned_key(context, given.key);
        if (!key) return;
    }
    std::optional<std::string> checkpoint;
    if (!given.checkpoint.empty()) {
        checkpoint = read_evidence(context, given.checkpoint);
        if (!checkpoint) return;
    }
    const auto target = log_target(context, given.database);
    if (!target) return;
    const auto proof = prove_row(*target, given.id, checkpoint, key);
    if (!proof) {
        could_not_verify(context, proof.error());
        return;
    }
    const std::string text = verify::to_text(*proof);
    if (given.out.empty()) {
        std::fputs(text.c_str(), stdout);
        return;
    }
    std::ofstream file(given.out, std::ios::binary);
    if (!(file << text).flush()) {
        std::fprintf(stderr, "tickd: cannot write %s\n", given.out.c_str());
        context.result = exit_code::cannot_create;
    }
}

void check_proof(command_context& context, const arguments& given) {
    const auto key = pinned_key(context, given.key);
    if (!key) return;
    const auto text = read_evidence(context, given.file);
    if (!text) return;
    const auto proof = verify::parse_row_proof(*text);
    if (!proof) {
        could_not_verify(context, given.file + " is no proof: " + proof.error());
        return;
    }
    const auto proven = verify::check_row_proof(*proof, *key);
    if (!proven) {
        std::printf("NOT PROVEN: %s\n", proven.error().c_str());
        context.result = exit_code::check_failed;
        return;
    }
    constexpr std::array names{"id",      "timestamp",  "agent_id", "action_type", "action_payload",
                               "user_id", "session_id", "metadata", "created_at",  "tenant_id"};
    std::puts(
        std::format("proven: row {} is in the log {}", proven->id, proven->note.origin).c_str());
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::puts(std::format("  {:<15} {}", names[i], proven->fields[i]).c_str());
    }
    std::puts(std::format("  {:<15} {}\n  {:<15} {} of {}\n  {:<15} {}", "hash_sha256",
                          verify::to_hex(proven->hash), "record", proof->index,
                          proven->note.head.size, "signed by", verify::to_text(*key))
                  .c_str());
}

// The checkpoint of a file, signed by the key if one was given.
std::optional<verify::checkpoint> read_checkpoint(command_context& context, const std::string& path,
                                                  const std::optional<verify::verifier_key>& key) {
    const auto text = read_evidence(context, path);
    if (!text) return std::nullopt;
    auto note = verify::parse_checkpoint(*text);
    if (!note) {
        could_not_verify(context, path + " is no checkpoint: " + note.error());
        return std::nullopt;
    }
    if (key && verify::check_signature(note->note, *key) != verify::signature_state::good) {
        std::printf("bad_signature: %s is not signed by the key\n", path.c_str());
        context.result = exit_code::check_failed;
        return std::nullopt;
    }
    return std::move(*note);
}

void consistency_of(command_context& context, const arguments& given) {
    std::optional<verify::verifier_key> key;
    if (!given.key.empty()) {
        key = pinned_key(context, given.key);
        if (!key) return;
    }
    const auto older = read_checkpoint(context, given.older, key);
    if (!older) return;
    const auto newer = read_checkpoint(context, given.newer, key);
    if (!newer) return;
    if (older->origin != newer->origin) {
        could_not_verify(context, "the checkpoints are of different logs");
        return;
    }
    const auto target = log_target(context, given.database);
    if (!target) return;
    const auto proof = prove_consistency(*target, older->head, newer->head);
    if (!proof) {
        could_not_verify(context, proof.error());
        return;
    }
    if (!proof->holds) {
        std::printf("NOT CONSISTENT: %s\n", proof->why_not.c_str());
        context.result = exit_code::check_failed;
        return;
    }
    std::puts(std::format("consistent: size {} continues size {}; it says nothing about rows",
                          newer->head.size, older->head.size)
                  .c_str());
    for (const verify::digest& each : proof->path) {
        std::puts(verify::to_base64(verify::bytes_of(each)).c_str());
    }
}

void add_database(CLI::App& app, arguments& given) {
    app.add_option("--database", given.database,
                   "Connection string, in place of the configuration's");
}

void add_key(CLI::App& app, arguments& given, bool required) {
    app.add_option("--key", given.key, "The log's verifier key, or a file that holds it")
        ->type_name("VKEY")
        ->required(required);
}

}  // namespace

void add_verify_prove_command(CLI::App& verify, command_context& context) {
    CLI::App* const app = verify.add_subcommand(
        "prove", "Writes a proof that a row is in the log, to be checked without a database");
    const auto given = std::make_shared<arguments>();
    app->add_option("--id", given->id, "The row's id")->required();
    app->add_option("--checkpoint", given->checkpoint,
                    "Prove it under this checkpoint; default: the database's newest")
        ->type_name("FILE");
    app->add_option("--out", given->out, "Default: stdout")->type_name("FILE");
    add_key(*app, *given, false);
    add_database(*app, *given);
    app->callback([&context, given] { prove(context, *given); });
}

void add_verify_check_proof_command(CLI::App& verify, command_context& context) {
    CLI::App* const app =
        verify.add_subcommand("check-proof", "Checks a proof of a row; needs no database");
    const auto given = std::make_shared<arguments>();
    app->add_option("file", given->file, "What `verify prove` wrote")
        ->required()
        ->type_name("FILE");
    add_key(*app, *given, true);
    app->callback([&context, given] { check_proof(context, *given); });
}

void add_verify_consistency_command(CLI::App& verify, command_context& context) {
    CLI::App* const app = verify.add_subcommand(
        "consistency", "Whether one checkpoint continues another, by the database's records");
    const auto given = std::make_shared<arguments>();
    app->add_option("older", given->older, "A checkpoint's file")->required()->type_name("FILE");
    app->add_option("newer", given->newer, "A later one's")->required()->type_name("FILE");
    add_key(*app, *given, false);
    add_database(*app, *given);
    app->callback([&context, given] { consistency_of(context, *given); });
}

}  // namespace tickd
