// A certificate authority of a test's own, made with the openssl command in a temporary folder.
#pragma once

#include <string>

#include "tests/support/daemon_process.h"

namespace tickd::test {

struct key_pair {
    std::string certificate, key;  // PEM files
};

class test_ca {
public:
    test_ca();

    [[nodiscard]] std::string file() const { return folder_.file("ca.pem"); }
    // A certificate for `subject` (`/CN=feed-a`) and the alternative names (`DNS:x,IP:127.0.0.1`;
    // empty: none), in files that begin with `name`, which are replaced.
    [[nodiscard]] key_pair issue(const std::string& name, const std::string& subject,
                                 const std::string& names = {}, int days = 30) const;
    // One for 127.0.0.1, as a daemon or a database server here needs it.
    [[nodiscard]] key_pair server(const std::string& name = "server") const {
        return issue(name, "/CN=" + name, "IP:127.0.0.1,DNS:localhost");
    }

private:
    temporary_folder folder_;
};

}  // namespace tickd::test
