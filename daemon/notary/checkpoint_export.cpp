#include "daemon/notary/checkpoint_export.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <format>
#include <string_view>

#include "ingest/timestamp.h"

namespace tickd {

namespace {

[[nodiscard]] std::string system_error(std::string_view what, const std::string& path) {
    return std::format("cannot {} {}: {}", what, path, std::strerror(errno));
}

[[nodiscard]] std::expected<void, std::string> write_file(const std::string& path, int flags,
                                                          std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (file < 0) return std::unexpected(system_error("write", path));
    const bool kept =
        ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
        ::fsync(file) == 0;
    const int failure = errno;
    ::close(file);
    errno = failure;
    if (!kept) return std::unexpected(system_error("write", path));
    return {};
}

}  // namespace

std::expected<void, std::string> export_to_folder(const std::string& folder,
                                                  const std::string& note, std::int64_t unix_us) {
    const std::string day = ingest::to_rfc3339(unix_us).substr(0, 10);
    if (auto kept = write_file(folder + "/checkpoints-" + day, O_APPEND, note + '\n'); !kept) {
        return kept;
    }
    const std::string newest = folder + "/checkpoint";
    if (auto kept = write_file(newest + ".new", O_TRUNC, note); !kept) return kept;
    if (::rename((newest + ".new").c_str(), newest.c_str()) != 0) {
        return std::unexpected(system_error("replace", newest));
    }
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool kept = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0) ::close(directory);
    if (!kept) return std::unexpected(system_error("fsync", folder));
    return {};
}

std::expected<void, std::string> export_to_command(const std::string& command,
                                                   const std::string& note,
                                                   std::chrono::milliseconds at_most) {
    // A file in memory: a command that reads nothing cannot block us, as a pipe could.
    const int input = ::memfd_create("checkpoint", MFD_CLOEXEC);
    if (input < 0 ||
        ::write(input, note.data(), note.size()) != static_cast<ssize_t>(note.size()) ||
        ::lseek(input, 0, SEEK_SET) != 0) {
        if (input >= 0) ::close(input);
        return std::unexpected(system_error("hand a checkpoint to", command));
    }
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own, so that what it starts ends with it; SIGPIPE as everybody expects it.
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    std::string shell = "sh", option = "-c", text = command;
    char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
    pid_t child = -1;
    const int failed = ::posix_spawn(&child, "/bin/sh", &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    ::close(input);
    if (failed != 0) {
        return std::unexpected(std::format("cannot run {}: {}", command, std::strerror(failed)));
    }
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
    const bool in_time = handle >= 0 && ::poll(&ended, 1, static_cast<int>(at_most.count())) == 1;
    if (handle >= 0) ::close(handle);
    if (!in_time) ::kill(-child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) {
        return std::unexpected(
            std::format("{} took longer than {} ms and was ended", command, at_most.count()));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return std::unexpected(
            std::format("{} ended with {}", command,
                        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
    }
    return {};
}

}  // namespace tickd
