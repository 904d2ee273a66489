#include "tests/support/tenant_site.h"

#include <format>
#include <stdexcept>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

namespace tickd::test {

tenant_site::tenant_site(ingest_site& site) : site_(site) {
    const std::string database = one(site.sql(), "SELECT current_database()");
    config_ = folder_.write("operator.yaml",
                            daemon_yaml(shared_cluster().conninfo(database, "tickd_operator")));
}

ended_process tenant_site::tenant(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--config", config_, "tenant"});
    return run_tickd(arguments);
}

std::string tenant_site::add(const std::string& name) const {
    const ended_process added = tenant({"add", name});
    if (added.exit_code != 0) throw std::runtime_error("tenant add: " + added.err);
    return added.out.substr(0, added.out.find('\n'));
}

std::string tenant_site::token(const std::string& name,
                               const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"token", "new", name};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ended_process made = tenant(all);
    if (made.exit_code != 0) throw std::runtime_error("token new: " + made.err);
    const std::string count = one(site_.sql(), "SELECT count(*) FROM tickd.good_tokens()");
    if (!site_.daemon().await_logged(std::format("tokens: {} are good", count))) {
        throw std::runtime_error("the daemon does not hear of a new token");
    }
    return made.out.substr(0, made.out.find('\n'));
}

std::string hello_line(const std::string& producer, const std::string& token) {
    return std::format("{{\"type\":\"hello\",\"producer\":\"{}\"{}}}\n", producer,
                       token.empty() ? "" : ",\"token\":\"" + token + '"');
}

std::string tick_line(int seq, const std::string& more) {
    return std::format("{{\"seq\":{},\"symbol\":\"S\",\"bid\":{},\"ask\":1{}}}\n", seq, seq, more);
}

std::string converse(const std::string& address, const std::string& lines) {
    tcp_client client(address);
    client.send(lines);
    client.finish();
    return client.read_to_end().value_or("the daemon did not close");
}

}  // namespace tickd::test
