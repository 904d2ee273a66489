// A feed handler over TLS that can also be one that tickd must not serve: of an old version,
// without a certificate, or one that wants to renegotiate.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/test_ca.h"

namespace tickd::test {

struct tls_client_options {
    std::string ca;
    std::optional<key_pair> own{};
    int version_max = TLS1_3_VERSION;
};

class tls_client {
public:
    // To HOST:PORT with a numeric IPv4 host; shakes hands. Throws std::runtime_error with OpenSSL's
    // words when that does not come about.
    tls_client(const std::string& address, const tls_client_options& options);
    ~tls_client();
    tls_client(const tls_client&) = delete;
    tls_client& operator=(const tls_client&) = delete;

    void send(std::string_view bytes);
    void finish();  // TLS's goodbye, then the end of the stream
    void cut();     // the end of the stream without a goodbye
    // Waits until the daemon says goodbye. What it sent before; nothing: it broke off, or has not
    // closed.
    [[nodiscard]] std::optional<std::string> read_to_end();
    // Of the daemon's certificate.
    [[nodiscard]] std::string peer_name() const;
    [[nodiscard]] std::string version() const { return SSL_get_version(session_.get()); }
    // Whether the daemon has given means to resume this session.
    [[nodiscard]] bool resumable() const;
    // Whether the daemon agrees to shake hands again. TLS 1.2.
    [[nodiscard]] bool renegotiate();

private:
    struct free_session {
        void operator()(SSL* session) const noexcept { SSL_free(session); }
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };
    int socket_ = -1;
    std::unique_ptr<SSL_CTX, free_session> context_;
    std::unique_ptr<SSL, free_session> session_;
};

// Sends, ends the stream, and gives everything the daemon says until it closes; or why there was no
// session.
[[nodiscard]] std::string converse_tls(const std::string& address,
                                       const tls_client_options& options, std::string_view lines);

}  // namespace tickd::test
