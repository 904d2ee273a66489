#include "daemon/tls/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <format>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tickd {

namespace {

// For TLS 1.2; those of 1.3 are good as they are. Forward secrecy and authenticated encryption
// only.
constexpr const char* ciphers_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
// A chain of a root, two intermediates and the peer is the most that is seen; checking costs time.
constexpr int chain_depth_max = 4;
// Of a client's certificates, before they are checked.
constexpr long certificates_bytes_max = 32L * 1024;

[[nodiscard]] tls_context make_context(const SSL_METHOD* method, tls_version minimum) {
    tls_context made(SSL_CTX_new(method));
    if (!made) throw std::runtime_error("OpenSSL: " + tls_failure());
    SSL_CTX* const context = made.get();
    SSL_CTX_set_min_proto_version(context,
                                  minimum == tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cipher_list(context, ciphers_of_1_2);
    SSL_CTX_set_verify_depth(context, chain_depth_max);
    SSL_CTX_set_max_cert_list(context, certificates_bytes_max);
    // Replies move while they wait, and a session that says nothing costs no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    return made;
}

[[nodiscard]] std::unexpected<std::string> cannot_use(const std::string& file) {
    return std::unexpected{std::format("{}: {}", file, tls_failure())};
}

[[nodiscard]] std::expected<void, std::string> use_pair(SSL_CTX* context,
                                                        const std::string& certificate,
                                                        const std::string& key) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
        return cannot_use(certificate);
    }
    // Either of them notices a key of another certificate.
    const bool read = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!read && ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH) {
        return cannot_use(key);
    }
    if (!read || SSL_CTX_check_private_key(context) != 1) {
        static_cast<void>(tls_failure());
        return std::unexpected{key + ": is not the key of " + certificate};
    }
    return {};
}

// SNI. What OpenSSL's macro of this name does, without its casts.
[[nodiscard]] bool name_server(SSL& session, const std::string& host) {
    return SSL_ctrl(&session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(host.c_str())) == 1;
}

// UTF-8; empty for what is no text or holds a control character.
[[nodiscard]] std::string text_of(const ASN1_STRING* from) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, from);
    if (size < 0) return {};
    std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
    return std::ranges::any_of(text, control) ? std::string() : text;
}

void add_alternative_names(const X509* certificate, std::vector<std::string>& names) {
    auto* const all = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    if (all == nullptr) return;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
        int kind = 0;
        const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &kind);
        const char* const word = kind == GEN_DNS     ? "DNS:"
                                 : kind == GEN_URI   ? "URI:"
                                 : kind == GEN_EMAIL ? "EMAIL:"
                                                     : nullptr;
        if (word == nullptr) continue;
        const std::string text = text_of(static_cast<const ASN1_STRING*>(value));
        if (!text.empty()) names.push_back(word + text);
    }
    GENERAL_NAMES_free(all);
}

}  // namespace

std::expected<tls_context, std::string> make_tls_server(const tls_server_files& files) {
    tls_context made = make_context(TLS_server_method(), files.minimum);
    if (auto used = use_pair(made.get(), files.certificate, files.key); !used) {
        return std::unexpected{std::move(used.error())};
    }
    // One system call brings more than a record's header. Not in clients, which ask SSL_pending.
    SSL_CTX_set_read_ahead(made.get(), 1);
    if (!files.client_ca.empty()) {
        STACK_OF(X509_NAME)* const known = SSL_load_client_CA_file(files.client_ca.c_str());
        if (known == nullptr ||
            SSL_CTX_load_verify_file(made.get(), files.client_ca.c_str()) != 1) {
            sk_X509_NAME_pop_free(known, X509_NAME_free);
            return cannot_use(files.client_ca);
        }
        SSL_CTX_set_client_CA_list(made.get(), known);
        SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return made;
}

std::expected<tls_context, std::string> make_tls_client(const tls_client_files& files) {
    tls_context made = make_context(TLS_client_method(), tls_version::v1_2);
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
    if (files.ca.empty() ? SSL_CTX_set_default_verify_paths(made.get()) != 1
                         : SSL_CTX_load_verify_file(made.get(), files.ca.c_str()) != 1) {
        return cannot_use(files.ca.empty() ? "the system's certificates" : files.ca);
    }
    if (!files.certificate.empty()) {
        if (auto used = use_pair(made.get(), files.certificate, files.key); !used) {
            return std::unexpected{std::move(used.error())};
        }
    }
    return made;
}

tls_session accept_tls(SSL_CTX& context, int socket) {
    tls_session made(SSL_new(&context));
    if (!made || SSL_set_fd(made.get(), socket) != 1) return nullptr;
    SSL_set_accept_state(made.get());
    return made;
}

tls_session connect_tls(SSL_CTX& context, int socket, const std::string& host) {
    tls_session made(SSL_new(&context));
    if (!made || SSL_set_fd(made.get(), socket) != 1) return nullptr;
    SSL_set_connect_state(made.get());
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool is_address = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                            inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    const bool named =
        is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(made.get()), host.c_str()) == 1
                   : SSL_set1_host(made.get(), host.c_str()) == 1 && name_server(*made, host);
    return named ? std::move(made) : nullptr;
}

std::vector<std::string> names_of_peer(const SSL& session) {
    std::vector<std::string> names;
    const X509* const certificate = SSL_get0_peer_certificate(&session);
    if (certificate == nullptr) return names;
    const X509_NAME* const subject = X509_get_subject_name(certificate);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
        const std::string text =
            text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        if (!text.empty()) names.push_back("CN:" + text);
    }
    add_alternative_names(certificate, names);
    return names;
}

std::expected<std::int64_t, std::string> certificate_end_s(const std::string& file) {
    const std::unique_ptr<BIO, int (*)(BIO*)> in(BIO_new_file(file.c_str(), "r"), BIO_free);
    if (!in) return cannot_use(file);
    const std::unique_ptr<X509, void (*)(X509*)> first(
        PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free);
    if (!first) return cannot_use(file);
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(first.get()), &end) != 1) return cannot_use(file);
    return static_cast<std::int64_t>(::timegm(&end));
}

std::string tls_failure() {
    std::string text;
    // The first error is the cause, the last ones what followed from it.
    const unsigned long first = ERR_get_error();
    if (first != 0) {
        const char* const reason = ERR_reason_error_string(first);
        text = reason != nullptr ? reason : std::format("error {:#x}", first);
    }
    ERR_clear_error();
    return text.empty() ? "no reason given" : text;
}

}  // namespace tickd
