// The status page's data: looks at the daemon once a second and says what it saw.
//
// Belongs to the admin server's thread.
#pragma once

#include <string>

#include "daemon/admin/observed.h"
#include "daemon/admin/status_history.h"

namespace tickd {

class status_board {
public:
    explicit status_board(const observed& of) : of_(of) {}

    // Once a second.
    void look();
    // As it is now, on one line.
    [[nodiscard]] std::string json() const;

private:
    const observed& of_;
    status_history history_;
};

}  // namespace tickd
