// A disk of a few megabytes: a tmpfs in a mount namespace of this process's main thread and what it
// starts from then on. To be made before any thread or server that has to see it.
#pragma once

#include <string>

namespace tickd::test {

class small_disk {
public:
    // Not permitted (no root, or a container without the right): the running test is skipped.
    explicit small_disk(unsigned mebibytes);
    ~small_disk();
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    // From now on no more than this is free.
    void leave_free(unsigned mebibytes) const;
    void resize(unsigned mebibytes) const;

private:
    std::string path_;
};

}  // namespace tickd::test
