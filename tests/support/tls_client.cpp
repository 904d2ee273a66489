#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace tickd::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    throw std::runtime_error(what + ": " + (reason == nullptr ? "cut off" : reason));
}

}  // namespace

tls_client::tls_client(const std::string& address, const tls_client_options& options)
    : context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as if to a file.
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_max_proto_version(context, options.version_max);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_security_level(context, 0);  // An old version is for the daemon to refuse.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) fail("ca");
    if (options.own &&
        (SSL_CTX_use_certificate_chain_file(context, options.own->certificate.c_str()) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, options.own->key.c_str(), SSL_FILETYPE_PEM) != 1)) {
        fail("certificate");
    }
    const std::size_t colon = address.rfind(':');
    const std::string host = address.substr(0, colon);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (::inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1) fail(address);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval at_most{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &at_most, sizeof at_most);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &at_most, sizeof at_most);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ::close(socket_);
        fail("connect");
    }
    session_.reset(SSL_new(context));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), host.c_str());
    SSL_set_fd(session_.get(), socket_);
    if (SSL_connect(session_.get()) != 1) {
        ::close(socket_);
        fail("handshake");
    }
}

tls_client::~tls_client() {
    session_.reset();
    ::close(socket_);
}

void tls_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const int sent = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
        if (sent <= 0) fail("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void tls_client::finish() {
    SSL_shutdown(session_.get());
    ::shutdown(socket_, SHUT_WR);
}

void tls_client::cut() { ::shutdown(socket_, SHUT_WR); }

std::optional<std::string> tls_client::read_to_end() {
    std::string all;
    std::array<char, 16384> part{};
    for (;;) {
        const int got = SSL_read(session_.get(), part.data(), static_cast<int>(part.size()));
        if (got > 0) {
            all.append(part.data(), static_cast<std::size_t>(got));
            continue;
        }
        const bool ended = SSL_get_error(session_.get(), got) == SSL_ERROR_ZERO_RETURN;
        ERR_clear_error();
        return ended ? std::optional(all) : std::nullopt;
    }
}

std::string tls_client::peer_name() const {
    std::array<char, 256> name{};
    const X509* const certificate = SSL_get0_peer_certificate(session_.get());
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
}

bool tls_client::resumable() const {
    return SSL_SESSION_is_resumable(SSL_get_session(session_.get())) == 1;
}

bool tls_client::renegotiate() {
    const bool agreed =
        SSL_renegotiate(session_.get()) == 1 && SSL_do_handshake(session_.get()) == 1;
    ERR_clear_error();
    return agreed;
}

std::string converse_tls(const std::string& address, const tls_client_options& options,
                         std::string_view lines) {
    try {
        tls_client client(address, options);
        client.send(lines);
        client.finish();
        return client.read_to_end().value_or("the daemon broke off");
    } catch (const std::runtime_error& none) {
        return none.what();
    }
}

}  // namespace tickd::test
