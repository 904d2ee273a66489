// TLS by OpenSSL, for both ends: contexts with what tickd allows and no more, and the names in a
// certificate.
//
// Never: versions below 1.2, compression, renegotiation, session tickets or any other resumption (a
// ticket key would have to be kept as well as the private key, for a handshake in the life of a
// session).
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "daemon/tls/tls_version.h"

namespace tickd {

struct free_tls {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
// One connection's. One thread at a time, any thread.
using tls_session = std::unique_ptr<SSL, free_tls>;
// What connections have in common. Sessions keep what they were made of alive.
using tls_context = std::unique_ptr<SSL_CTX, free_tls>;

struct tls_server_files {
    std::string certificate;  // PEM, the server's own first, then the chain
    std::string key;          // PEM
    std::string client_ca;    // PEM; not empty: clients must have a certificate of it
    tls_version minimum = tls_version::v1_3;
};

struct tls_client_files {
    std::string ca;                // PEM; empty: those of the system
    std::string certificate, key;  // PEM; empty: none
};

// Reads the files; says which cannot be used and why.
[[nodiscard]] std::expected<tls_context, std::string> make_tls_server(
    const tls_server_files& files);
[[nodiscard]] std::expected<tls_context, std::string> make_tls_client(
    const tls_client_files& files);

// A session on a connected socket, which it borrows. `host` is what the server's certificate must
// be for: a name or an address.
[[nodiscard]] tls_session accept_tls(SSL_CTX& context, int socket);
[[nodiscard]] tls_session connect_tls(SSL_CTX& context, int socket, const std::string& host);

// The names in the peer's certificate, each with its kind: `CN:`, `DNS:`, `URI:`, `EMAIL:`. Names
// with control characters are left out. Empty: it has shown none.
[[nodiscard]] std::vector<std::string> names_of_peer(const SSL& session);

// When a certificate file's first certificate ends, in seconds since 1970, or why it cannot be
// read.
[[nodiscard]] std::expected<std::int64_t, std::string> certificate_end_s(const std::string& file);

// What the last call that failed on this thread had to say; empties OpenSSL's queue.
[[nodiscard]] std::string tls_failure();

}  // namespace tickd
