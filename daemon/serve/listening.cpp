#include "daemon/serve/listening.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace tickd {

namespace asio = boost::asio;

namespace {

using unix_protocol = asio::local::stream_protocol;

[[nodiscard]] std::expected<tcp_acceptor, std::string> listen_tcp(asio::io_context& io,
                                                                  const std::string& host,
                                                                  std::uint16_t port) {
    boost::system::error_code failed;
    asio::ip::tcp::resolver resolver(io);
    const auto found =
        resolver.resolve(host, std::to_string(port), asio::ip::tcp::resolver::passive, failed);
    if (failed) return std::unexpected("cannot be resolved: " + failed.message());
    const asio::ip::tcp::endpoint endpoint = *found.begin();
    tcp_acceptor acceptor(io);
    if (acceptor.open(endpoint.protocol(), failed); !failed) {
        acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    }
    if (!failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) {
        return std::unexpected("cannot listen: " + failed.message() +
                               "; is another tickd or another program using it?");
    }
    return acceptor;
}

// A socket file that nobody listens on is left over from a crash and is replaced; one that is
// alive, or a file of another kind, is not ours to remove.
[[nodiscard]] std::expected<listening, std::string> listen_unix(asio::io_context& io,
                                                                const std::string& path,
                                                                std::uint32_t mode) {
    boost::system::error_code failed;
    const unix_protocol::endpoint endpoint(path);
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
        unix_protocol::socket probe(io);
        probe.connect(endpoint, failed);
        if (!failed) return std::unexpected("another process listens there");
        ::unlink(path.c_str());
        failed.clear();
    }
    unix_acceptor acceptor(io);
    if (acceptor.open(endpoint.protocol(), failed); !failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return std::unexpected("cannot listen: " + failed.message());
    if (::chmod(path.c_str(), mode) != 0) {
        ::unlink(path.c_str());
        return std::unexpected("cannot set its permissions");
    }
    return listening{.acceptor = std::move(acceptor), .unix_path = path};
}

[[nodiscard]] std::expected<listening, std::string> listen_on(asio::io_context& io, int fd,
                                                              address::family kind) {
    boost::system::error_code failed;
    if (kind == address::family::unix_socket) {
        unix_acceptor acceptor(io);
        acceptor.assign(unix_protocol(), fd, failed);
        if (!failed) return listening{.acceptor = std::move(acceptor), .unix_path = {}};
    } else {
        // Only the family of new sockets would follow from the protocol, and none are made.
        tcp_acceptor acceptor(io);
        acceptor.assign(asio::ip::tcp::v4(), fd, failed);
        if (!failed) return listening{.acceptor = std::move(acceptor), .unix_path = {}};
    }
    ::close(fd);
    return std::unexpected("the inherited socket cannot be used: " + failed.message());
}

}  // namespace

std::expected<listening, std::string> listen_at(asio::io_context& io, const address& where,
                                                std::uint32_t unix_mode, const std::string& name,
                                                inherited_sockets& inherited) {
    if (const int fd = inherited.claim(name, where); fd >= 0) return listen_on(io, fd, where.kind);
    if (where.kind == address::family::unix_socket) return listen_unix(io, where.path, unix_mode);
    auto acceptor = listen_tcp(io, where.host, where.port);
    if (!acceptor) return std::unexpected(std::move(acceptor.error()));
    return listening{.acceptor = std::move(*acceptor), .unix_path = {}};
}

std::string bound_address(const listening& at) {
    boost::system::error_code ignored;
    if (const auto* tcp = std::get_if<tcp_acceptor>(&at.acceptor)) {
        const auto endpoint = tcp->local_endpoint(ignored);
        return to_text(address{.kind = address::family::tcp,
                               .host = endpoint.address().to_string(),
                               .port = endpoint.port(),
                               .path = {}});
    }
    return to_text(
        address{.kind = address::family::unix_socket,
                .host = {},
                .port = 0,
                .path = std::get<unix_acceptor>(at.acceptor).local_endpoint(ignored).path()});
}

}  // namespace tickd
