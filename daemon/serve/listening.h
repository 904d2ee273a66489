// Sockets that listen: made here, or inherited from the service manager.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <variant>

#include "daemon/address.h"
#include "daemon/serve/inherited_sockets.h"

namespace tickd {

using tcp_acceptor = boost::asio::ip::tcp::acceptor;
using unix_acceptor = boost::asio::local::stream_protocol::acceptor;

struct listening {
    std::variant<tcp_acceptor, unix_acceptor> acceptor;
    std::string unix_path;  // a file to remove in the end; empty: none, or not ours
};

// Listens at `where`, on the inherited socket that is called `name` or is bound there, else on a
// new one. `unix_mode`: permissions of a new unix socket. An error says why it cannot be had.
[[nodiscard]] std::expected<listening, std::string> listen_at(boost::asio::io_context& io,
                                                              const address& where,
                                                              std::uint32_t unix_mode,
                                                              const std::string& name,
                                                              inherited_sockets& inherited);

// Where it listens, with the port the system chose where 0 was asked for.
[[nodiscard]] std::string bound_address(const listening& at);

}  // namespace tickd
