#include "daemon/spool/spool_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace tickd {

bool write_at(int fd, std::string_view bytes, std::uint64_t offset) noexcept {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (written == 0) errno = ENOSPC;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return true;
}

std::optional<std::size_t> read_at(int fd, char* to, std::size_t bytes,
                                   std::uint64_t offset) noexcept {
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t got = ::pread(fd, to + done, bytes - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

std::optional<std::uint64_t> size_of(int fd) noexcept {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || status.st_size < 0) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

unique_fd open_for_reading(int folder, const std::string& name) noexcept {
    return unique_fd{::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
}

std::optional<std::string> small_file(int folder, const char* name) {
    const unique_fd file = open_for_reading(folder, name);
    if (!file) return std::nullopt;
    std::array<char, 4097> content;
    const auto bytes = read_at(file.get(), content.data(), content.size(), 0);
    if (!bytes || *bytes == content.size()) return std::nullopt;
    return std::string(content.data(), *bytes);
}

bool replace_small_file(int folder, const char* name, std::string_view content) {
    const std::string unfinished = std::string(name) + ".new";
    const unique_fd file{::openat(folder, unfinished.c_str(),
                                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    return file && write_at(file.get(), content, 0) && ::fsync(file.get()) == 0 &&
           ::renameat(folder, unfinished.c_str(), folder, name) == 0 && ::fsync(folder) == 0;
}

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace tickd
