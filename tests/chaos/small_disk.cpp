#include "tests/chaos/small_disk.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace tickd::test {

namespace {

std::string size_of(unsigned mebibytes) {
    return "mode=0755,size=" + std::to_string(mebibytes) + "m";
}

}  // namespace

small_disk::small_disk(unsigned mebibytes) {
    // EINVAL: the root is not a mount point, as on the platform of dev/, whose mounts are private.
    if (::unshare(CLONE_NEWNS) != 0 ||
        (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 && errno != EINVAL)) {
        SKIP("cannot mount a small disk: " << std::strerror(errno));
    }
    std::string name = "/tmp/tickd-disk-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
    if (::mount("tickd-test", name.c_str(), "tmpfs", 0, size_of(mebibytes).c_str()) != 0) {
        const int why = errno;
        ::rmdir(name.c_str());
        SKIP("cannot mount a small disk: " << std::strerror(why));
    }
}

small_disk::~small_disk() {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::rmdir(path_.c_str());
}

void small_disk::leave_free(unsigned mebibytes) const {
    struct statvfs now{};
    if (::statvfs(path_.c_str(), &now) != 0) throw std::runtime_error("statvfs failed");
    const auto used = (now.f_blocks - now.f_bfree) * now.f_frsize >> 20U;
    resize(static_cast<unsigned>(used) + mebibytes);
}

void small_disk::resize(unsigned mebibytes) const {
    if (::mount("tickd-test", path_.c_str(), "tmpfs", MS_REMOUNT, size_of(mebibytes).c_str()) !=
        0) {
        throw std::runtime_error("remount failed");
    }
}

}  // namespace tickd::test
