#include "tests/support/test_ca.h"

#include <cstdlib>
#include <format>
#include <stdexcept>

namespace tickd::test {

namespace {

constexpr const char* new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

void run_openssl(const std::string& arguments) {
    const std::string command = "openssl " + arguments + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

test_ca::test_ca() {
    run_openssl(std::format("req -x509 {} -keyout '{}' -out '{}' -subj /CN=test-ca -days 30",
                            new_key, folder_.file("ca.key"), file()));
}

key_pair test_ca::issue(const std::string& name, const std::string& subject,
                        const std::string& names, int days) const {
    key_pair made{.certificate = folder_.file(name + ".pem"), .key = folder_.file(name + ".key")};
    const std::string extension =
        names.empty() ? std::string() : std::format("-addext 'subjectAltName={}'", names);
    run_openssl(std::format(
        "req -x509 -CA '{}' -CAkey '{}' {} -keyout '{}' -out '{}' -subj '{}' {} -days {}"
        " -addext basicConstraints=critical,CA:FALSE",
        file(), folder_.file("ca.key"), new_key, made.key, made.certificate, subject, extension,
        days));
    return made;
}

}  // namespace tickd::test
