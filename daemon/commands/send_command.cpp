// `tickd send`: the reference client.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/address.h"
#include "daemon/commands/commands.h"
#include "daemon/log.h"
#include "daemon/progress_bar.h"
#include "daemon/send/acked_sender.h"
#include "daemon/send/connection.h"
#include "daemon/send/line_source.h"
#include "daemon/send/pacer.h"
#include "daemon/send/plain_sender.h"
#include "daemon/send/stop_signal.h"

namespace tickd {

namespace {

constexpr std::chrono::seconds connect_timeout{10};

struct send_options {
    std::vector<std::string> inputs;
    std::string to{default_listener_address};
    double rate = 0;       // 0: as fast as the daemon reads
    std::string producer;  // empty: a plain session
    std::string ack{"committed"};
    std::string source;
    unsigned give_up_after_s = 60;
    bool no_progress = false;
    bool tls = false;
    tls_client_files tls_files;
    std::string token_file;
};

void complain(const std::string& message) {
    std::fprintf(stderr, "tickd send: %s\n", printable(message).c_str());
}

exit_code code_of(source_fault fault) {
    switch (fault) {
        case source_fault::unreadable: return exit_code::no_input;
        case source_fault::broken_off: return exit_code::io_error;
        case source_fault::bad_data: return exit_code::data;
        case source_fault::stopped: return exit_code::try_again;
    }
    return exit_code::internal;
}

exit_code code_of(const send_report& report) {
    switch (report.end) {
        case send_end::complete: return exit_code::ok;
        case send_end::interrupted:
        case send_end::abandoned: return exit_code::try_again;
        case send_end::input_failed: return code_of(report.input_fault);
        case send_end::connection_lost: return exit_code::io_error;
    }
    return exit_code::internal;
}

exit_code code_of(const acked_report& report) {
    switch (report.end) {
        case acked_end::settled: return exit_code::ok;
        case acked_end::interrupted: return exit_code::try_again;
        case acked_end::input_failed: return code_of(report.input_fault);
        case acked_end::refused: return exit_code::not_allowed;
        case acked_end::gave_up:
            return report.connects == 0 ? exit_code::unavailable : exit_code::try_again;
    }
    return exit_code::internal;
}

std::string label_of(const std::vector<std::string>& inputs) {
    if (inputs.size() != 1) return std::to_string(inputs.size()) + " inputs";
    if (inputs.front() == "-") return "stdin";
    return inputs.front().substr(inputs.front().rfind('/') + 1);
}

// The file's first line. Nothing: it cannot be read or is empty, which has been said.
std::optional<std::string> token_in(const std::string& file) {
    std::ifstream in(file);
    std::string token;
    std::getline(in, token);
    if (token.ends_with('\r')) token.pop_back();
    if (!in.bad() && !token.empty()) return token;
    complain(file + ": there is no token in it");
    return std::nullopt;
}

// Null when none is wanted; nothing after it has been said what is wrong.
std::optional<tls_context> tls_of(const send_options& options, const address& where) {
    if (!options.tls) return tls_context{};
    if (where.kind != address::family::tcp) {
        complain("--tls is for TCP; a unix socket needs none");
        return std::nullopt;
    }
    auto made = make_tls_client(options.tls_files);
    if (made) return std::move(*made);
    complain(made.error());
    return std::nullopt;
}

exit_code send(const send_options& options) {
    const auto where = parse_address(options.to);
    if (!where || (where->kind == address::family::tcp && where->port == 0)) {
        complain("--to " + options.to + ": " +
                 (where ? "the port must be a number from 1 to 65535" : where.error()));
        return exit_code::usage;
    }
    const auto tls = tls_of(options, *where);
    if (!tls) return exit_code::usage;
    std::string token;
    if (!options.token_file.empty()) {
        auto read = token_in(options.token_file);
        if (!read) return exit_code::no_input;
        token = std::move(*read);
    }
    stop_signal stop;
    auto source = line_source::open(options.inputs, stop.fd());
    if (!source) {
        complain(source.error().message);
        return code_of(source.error().fault);
    }
    progress_bar bar{STDERR_FILENO, !options.no_progress, "lines"};
    bar.set_label(label_of(options.inputs));
    const auto rate = options.rate > 0 ? std::optional{options.rate} : std::nullopt;
    if (!options.producer.empty()) {
        const ingest::hello greeting{.producer = options.producer,
                                     .ack = *ingest::ack_level_from(options.ack),
                                     .token = token,
                                     .source = options.source};
        const acked_report report =
            send_acked({.source = *source,
                        .where = *where,
                        .greeting = greeting,
                        .stop = stop,
                        .bar = bar,
                        .rate = rate,
                        .give_up_after = std::chrono::seconds{options.give_up_after_s},
                        .tls = tls->get()});
        bar.finish(summary(report));
        if (!report.detail.empty()) complain(report.detail);
        return code_of(report);
    }
    auto peer = connection::open(*where, stop, connect_timeout, tls->get());
    if (!peer) {
        complain(peer.error().message);
        return peer.error().stopped ? exit_code::try_again : exit_code::unavailable;
    }
    const plain_send job{.source = *source, .peer = *peer, .stop = stop, .bar = bar, .rate = rate};
    const send_report report = send_plain(job);
    bar.finish(summary(report));
    if (!report.detail.empty()) complain(report.detail);
    return code_of(report);
}

}  // namespace

void add_send_command(CLI::App& app, command_context& context) {
    CLI::App* const command = app.add_subcommand(
        "send", "Sends lines of JSON from files or stdin to a daemon, with a progress bar");
    const auto options = std::make_shared<send_options>();
    command->add_option("FILE", options->inputs, "NDJSON files, plain or gzip; - is stdin")
        ->required()
        ->type_name("");
    command
        ->add_option("--to", options->to,
                     "Where the daemon listens: HOST:PORT, [IPV6]:PORT or unix:/PATH")
        ->type_name("ADDRESS")
        ->capture_default_str();
    command
        ->add_option("--rate", options->rate,
                     "Records per second; default: as fast as the daemon reads")
        ->type_name("N")
        ->check(CLI::Range(1e-6, pacer::rate_max).description(""));
    command
        ->add_option("--producer", options->producer,
                     "Send acked under this name: number the lines, keep them until tickd has "
                     "acked them, resume after a break")
        ->type_name("NAME");
    command->add_option("--ack", options->ack, "When a line counts as settled")
        ->check(CLI::IsMember({"committed", "spooled"}))
        ->capture_default_str();
    command->add_option("--source", options->source, "Source of the ticks that name none")
        ->needs("--producer")
        ->type_name("TEXT");
    command
        ->add_option("--give-up-after", options->give_up_after_s,
                     "Seconds without a connection before an acked send ends; 0: never")
        ->type_name("S")
        ->capture_default_str();
    CLI::Option* const tls = command->add_flag(
        "--tls", options->tls, "Speak TLS, with a daemon whose certificate is for that host");
    const auto tls_file = [&](const char* name, std::string& file, const char* what) {
        return command->add_option(name, file, what)->needs(tls)->type_name("FILE");
    };
    tls_file("--ca", options->tls_files.ca,
             "PEM file of who signs the daemon's certificate; default: the system's");
    CLI::Option* const certificate =
        tls_file("--cert", options->tls_files.certificate, "PEM file of the own certificate");
    CLI::Option* const key = tls_file("--key", options->tls_files.key, "PEM file of its key");
    certificate->needs(key);
    key->needs(certificate);
    command->add_option("--token-file", options->token_file, "A file that holds the token")
        ->needs("--producer")
        ->type_name("FILE");
    command->add_flag("--no-progress", options->no_progress, "No bar, only the summary at the end");
    command->callback([options, &context] { context.result = send(*options); });
}

}  // namespace tickd
