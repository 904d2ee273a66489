// Tenants and tokens of a daemon under test, made by the commands that operators use.
#pragma once

#include <string>
#include <vector>

#include "tests/support/daemon_process.h"

namespace tickd::test {

class tenant_site {
public:
    // Runs `tickd tenant ...` on the site's database as tickd_operator.
    explicit tenant_site(ingest_site& site);

    [[nodiscard]] ended_process tenant(std::vector<std::string> arguments) const;
    // Adds a tenant; its id.
    std::string add(const std::string& name) const;
    // A new token's secret, with these further arguments. Returns once the daemon knows it.
    [[nodiscard]] std::string token(const std::string& name,
                                    const std::vector<std::string>& arguments = {}) const;

private:
    ingest_site& site_;
    temporary_folder folder_;
    std::string config_;
};

// A hello's line with this token, which may be empty.
[[nodiscard]] std::string hello_line(const std::string& producer, const std::string& token = {});
// A tick with this sequence.
[[nodiscard]] std::string tick_line(int seq, const std::string& more = {});

// Sends, ends the stream, and gives everything the daemon says until it closes.
[[nodiscard]] std::string converse(const std::string& address, const std::string& lines);

}  // namespace tickd::test
