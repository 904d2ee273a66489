// Names the calling thread for ps, top and gdb.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <string>

namespace tickd {

inline void name_this_thread(const char* role, std::uint32_t number) {
    // The kernel keeps fifteen characters.
    pthread_setname_np(pthread_self(),
                       (std::string(role) + '-' + std::to_string(number)).substr(0, 15).c_str());
}

}  // namespace tickd
