// Listening sockets that the service manager made before tickd started and passes on (socket
// activation): connections that come while tickd restarts wait in them.
#pragma once

#include <string>
#include <vector>

#include "daemon/address.h"

namespace tickd {

class inherited_sockets {
public:
    inherited_sockets() = default;
    // Those passed to this process (LISTEN_FDS). Once; a second call finds none.
    [[nodiscard]] static inherited_sockets take();
    ~inherited_sockets();  // Closes what nobody claimed.
    inherited_sockets(inherited_sockets&& other) noexcept;
    inherited_sockets& operator=(inherited_sockets&& other) noexcept;

    // The listening stream socket called `name` (FileDescriptorName=), or else the one that is
    // bound to `where`: the caller's from now on. -1: there is none.
    [[nodiscard]] int claim(const std::string& name, const address& where);

    // `name at address`, of those nobody has claimed.
    [[nodiscard]] std::vector<std::string> unclaimed() const;

private:
    struct inherited {
        int fd = -1;
        std::string name;
        std::string bound;  // as to_text(address); empty: no stream socket that listens
        address where;
    };
    void close_all() noexcept;
    [[nodiscard]] int give(std::vector<inherited>::iterator which);

    std::vector<inherited> sockets_;
};

}  // namespace tickd
